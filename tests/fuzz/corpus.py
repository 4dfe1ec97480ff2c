"""Every answer that the documents show or that was recorded, and how the product comes to ask for it.

Sources: the project's copies of the three documents; what was recorded on the wire is named in docs/exchanges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from exchanges.catalog import ExchangeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One kind of question, its answers, and the reading in which it is asked."""

    name: str
    path: str
    answers: tuple[str, ...]
    reading: str
    rows: tuple[str, ...] = ()
    """Names under which a list of rows may stand that must all be kept; none where the answer is no such list."""
    gone: tuple[str, ...] = ()
    """Endpoints that answer 404 while this one is tried, or it would not be asked."""

    def fits(self, path: str) -> bool:
        """Whether a path asks it."""
        return re.fullmatch(self.path, path) is not None


_DEPOSIT = (
    '{"amount":21.35823825,"currency":"USD","description":"string","fees":0.06,"orderId":20181213000239,"status":10,'
    '"timestamp":1571630174639,"type":1,"username":"btseUser","wallet":"Wallet","txid":"<Blockchain Transaction ID>",'
    '"currencyNetwork":"<Blockchain currency network>"}'
)
_RECORDED = (
    '{"username":"user","orderId":"2026081200000367","wallet":"SPOT@","currency":"USDT","type":"Deposit","amount":100,'
    '"fees":0,"description":"","timestamp":1786510157962,"status":"PROCESSING","txId":"","toAddress":"0xab",'
    '"currencyNetwork":"","sourceCurrency":"USDT","sourceAmount":0,"targetCurrency":"","targetAmount":0,"rate":0}'
)
_WITHDRAWN = (
    '{"orderId":"W-7","wallet":"SPOT@","currency":"BTC","type":"Withdraw","amount":0.5340000000000001,"fees":5.34e-7,'
    '"description":null,"timestamp":1786510158000,"status":"COMPLETED","txId":"0x1","toAddress":"bc1q"}'
)
_CONVERTED = (
    '{"orderId":"C-9","wallet":"SPOT@","currency":"USD","type":"Convert fiat","amount":50.5,"fees":0.5,"description":"",'
    '"timestamp":1786510159000,"status":"COMPLETED","sourceCurrency":"USD","sourceAmount":50.5,"targetCurrency":"USDT",'
    '"targetAmount":50,"rate":1}'
)
_FILL = (
    '{"tradeId":"a1","orderId":"o1","clOrderID":null,"side":"BUY","orderType":77,"price":111381.3460167,'
    '"filledPrice":111381.3460167,"filledSize":0.00089,"base":"BTC","quote":"USD","symbol":"BTC-USD","feeCurrency":"BTC",'
    '"feeAmount":5.34e-7,"wallet":"SPOT@","serialId":926957588,"timestamp":1786510157962}'
)
_BTSE_ERRORS = (
    '{"code":10002,"msg":"UNAUTHORIZED: Authentication Failed","time":1786510157962,"data":null,"success":false}',
    '{"status":400,"errorCode":-7,"message":"Authenticate failed","extraData":null}',
    '{"status":400,"error":"Bad Request","code":301,"message":"bad"}',
)
_SPOT = "/spot/api/v3.2"

BTSE = (
    Endpoint(
        name="wallet",
        path=f"{_SPOT}/user/wallet",
        answers=(
            '[{"available":520.52,"currency":"USD","total":5566.5566},{"currency":"BTC","total":0,"available":0},'
            '{"currency":"USDT","total":5.34e-7,"available":7158.844999999999}]',
        ),
        reading="balances",
        rows=("data",),
    ),
    Endpoint(
        name="history",
        path=f"{_SPOT}/user/wallet_history",
        answers=(
            f"[{_RECORDED},{_WITHDRAWN},{_CONVERTED}]",
            f"[{_DEPOSIT}]",
            f'{{"code":1,"msg":"Success","success":true,"time":1786510157962,"data":[{_RECORDED},{_DEPOSIT}]}}',
            *_BTSE_ERRORS,
        ),
        reading="wallet_history",
        rows=("data",),
    ),
    Endpoint(
        name="fills",
        path=f"{_SPOT}/user/trade_history",
        answers=(f"[{_FILL}]", f'{{"code":1,"success":true,"data":[{_FILL}]}}'),
        reading="trades",
        rows=("data",),
    ),
    Endpoint(
        name="markets",
        path=f"{_SPOT}/market_summary",
        answers=(
            '[{"symbol":"BTC-USD","last":111381.3,"base":"BTC","quote":"USD","futures":false,"active":true},'
            '{"symbol":"BTC-PERP","base":"BTC","quote":"USD","futures":true}]',
        ),
        reading="trades",
    ),
    Endpoint(
        name="time",
        path=f"{_SPOT}/time",
        answers=('{"iso":"2026-08-13T12:00:00.123Z","epoch":1786622400.123}',),
        reading="wallet_history",
    ),
    Endpoint(
        name="address",
        path=f"{_SPOT}/user/wallet/address",
        answers=('[{"address":"Blockchain address","created":1592627542}]', *_BTSE_ERRORS),
        reading="check",
    ),
    Endpoint(
        name="networks",
        path=f"{_SPOT}/availableCurrencyNetworks",
        answers=('["Bitcoin","Liquid"]',),
        reading="check",
    ),
    Endpoint(
        name="currencies",
        path=f"{_SPOT}/availableCurrencies",
        answers=('["BTC","ETH","USDT"]',),
        reading="currencies",
    ),
    Endpoint(
        name="rate",
        path=f"{_SPOT}/exchangeRate",
        answers=('{"code":1,"msg":"Success","time":1643085970137,"data":36051.55950285,"success":true}',),
        reading="quotes",
        gone=("new rate",),
    ),
    Endpoint(
        name="new rate",
        path="/public-api/wallet/v1/assets/exchangeRate",
        answers=(
            '{"code":1,"msg":"Success","time":1643085970137,"data":{"rate":"36051.55"},"success":true}',
        ),
        reading="quotes",
    ),
    Endpoint(
        name="closes",
        path=f"{_SPOT}/ohlcv",
        answers=(
            "[[1786492800,10,12,9,11.5,100],[1786406400000,10,12,9,11.25,100]]",
            "[[1786492800000,10,12,9,11.5,100]]",
        ),
        reading="candles",
    ),
)

_TX = (
    '{"id":2018,"amount":"1234.0","balance":"7201.94","message":null,"created_at":"2026-08-10T22:48:27+08:00",'
    '"updated_at":"2026-08-10T23:16:09+08:00","description":"issued","currency":"USD₮","status":"completed",'
    '"could_be_exchanged":false,"tx_type":"acquire","reference_id":"WE1AM64","fee":"20.0"}'
)
_SENT = (
    '{"id":2019,"amount":"-20.5","balance":"7181.44","message":"for you","created_at":"2026-08-11T22:48:27Z",'
    '"updated_at":"2026-08-11T22:48:27Z","description":"sent","currency":"USDt","status":"pending","tx_type":"send",'
    '"transaction_id":"b1946ac92492d2347c6235b4d2611184","counterparty_address":"someone@example.org"}'
)
_TETHER_ERROR = '{"code":400,"error":"Insufficient balance for currency conversion operation"}'
_TETHER_LISTS = (
    f"[{_SENT},{_TX}]",
    f'{{"transactions":[{_TX},{_SENT}]}}',
    f'{{"data":[{_TX}]}}',
    _TETHER_ERROR,
)
_NAMED = ("data", "transactions", "balances", "exchange_orders", "exchange_rates", "items", "results")

TETHER = (
    Endpoint(
        name="balances",
        path=r"/api/v1/balances\.json",
        answers=(
            '[{"confirmed":"12.30097754","pending":"0.0","currency":"USD₮"},'
            '{"confirmed":"1.5","pending":"2","currency":"EUR₮"}]',
            '{"balances":[{"confirmed":"12.30097754","pending":"0.0","currency":"USD₮"}]}',
            _TETHER_ERROR,
        ),
        reading="balances",
        rows=_NAMED,
    ),
    Endpoint(
        name="list",
        path=r"/api/v1/transactions\.json",
        answers=_TETHER_LISTS,
        reading="transactions",
        rows=_NAMED,
    ),
    Endpoint(
        name="page",
        path=r"/api/v1/transactions/page/\d+",
        answers=_TETHER_LISTS,
        reading="transactions",
        rows=_NAMED,
    ),
    Endpoint(
        name="one",
        path=r"/api/v1/transactions/[0-9A-Za-z-]+\.json",
        answers=(_TX, f'{{"transaction":{_SENT}}}', _TETHER_ERROR),
        reading="open transactions",
    ),
    Endpoint(
        name="orders",
        path=r"/api/v1/exchange_orders(\.json)?",
        answers=(
            '[{"id":1,"uuid":"u","source_currency":"USD₮","target_currency":"BTC","original_amount":"100.0",'
            '"exchanged_amount":"0.01","exchange_rate":"0.0001","status":"COMPLETED",'
            '"created_at":"2015-05-25T14:48:27Z","updated_at":"2015-05-25T14:48:27Z"}]',
        ),
        reading="exchange_orders",
        rows=_NAMED,
    ),
    Endpoint(
        name="rates",
        path=r"/api/v1/exchange_rates(\.json)?",
        answers=('[{"source_currency":"BTC","target_currency":"USD₮","exchange_rate":"237.1"}]',),
        reading="quotes",
    ),
)

_TRADE = (
    '{"id":3625965,"datetime":1786500000,"type":"sell","amount":"30.00000000","currencyPair":"dtrbtc",'
    '"price":"0.00000311","fee":"0.00000000"}'
)
_TRADE_WITH_FEE = (
    '{"id":3625966,"datetime":1786500001,"type":"buy","amount":"0.12345678","currencyPair":"btcusdt",'
    '"price":"1234.56","fee":"0.00010000"}'
)
_ID = "01234567-89ab-cdef-0123-456789abcdef"
_OPEN = (
    f'{{"id":"{_ID}","created":1786500000,"type":"buy","price":"1234.56","amount":"1234.56",'
    '"remainingAmount":"1000.56","currencyPair":"btcusdt","takeProfit":null}'
)
_WHOLE = (
    '{"id":"682aeee9-0000-4000-8000-000000000001","created":1786500000,"type":"sell","price":"2.5","amount":"3",'
    '"remainingAmount":"3","currencyPair":"btcusdt","takeProfit":"1234.56"}'
)
_OPEN_LISTS = (
    f'{{"status":"ok","timestamp":1786622400,"openOrders":[{_OPEN},{_WHOLE}]}}',
    f'{{"status":"ok","timestamp":1786622400,"openOrders":[{_OPEN}]}}',
)
_TICKER = (
    '{"status":"ok","timestamp":1786622400,"bid":"1234.56","open":"1234.56","low":"1234.56","high":"1234.56",'
    '"last":"1234.56","ask":"1234.56","vwap":"0.00000000","volume":"0.00000000","volume_usdt":"0.00000000"}'
)
_TOKENS_ERRORS = tuple(
    f'{{"timestamp":1786622400,"status":"error","errorCode":{code},"reason":"API Key is missing"}}'
    for code in (100, 111, 120, 122, 130, 131, 160, 429, 503)
)

TOKENS_NET = (
    Endpoint(
        name="all balances",
        path="/private/balance/all/",
        answers=(
            '{"timestamp":1573045496,"status":"ok","balances":{"BTC":{"available":"0.00009176","usdtValue":"40.60",'
            '"btcValue":"0.00433932","total":"0.00433932"},"USDT":{"available":"1","total":"2"}}}',
            *_TOKENS_ERRORS,
        ),
        reading="balances",
    ),
    Endpoint(
        name="one balance",
        path="/private/balance/(?!all/)[a-z0-9]+/",
        answers=(
            '{"status":"ok","total":"0.12345678","currency":"BTC","available":"0.12345678","timestamp":1234567890}',
        ),
        reading="balances",
        gone=("all balances",),
    ),
    Endpoint(
        name="open orders",
        path="/private/orders/get/all/",
        answers=(*_OPEN_LISTS, *_TOKENS_ERRORS[:3]),
        reading="orders",
        rows=("openOrders", "orders", "data"),
    ),
    Endpoint(
        name="orders of a pair",
        path="/private/orders/get/(btcusdt|dtrbtc)/",
        answers=_OPEN_LISTS,
        reading="orders",
        rows=("openOrders", "orders", "data"),
    ),
    Endpoint(
        name="one order",
        path="/private/orders/get/[0-9A-Za-z-]{8,64}/",
        answers=(
            f'{{"status":"ok","timestamp":1786622400,"id":"{_ID}","created":1786500000,"type":"buy",'
            '"orderStatus":"Open","price":"1234.56","amount":"1234.56","remainingAmount":"1000.56",'
            f'"currencyPair":"btcusdt","takeProfit":"1234.56","trades":[{_TRADE_WITH_FEE}]}}',
            *_TOKENS_ERRORS[4:6],
        ),
        reading="orders",
    ),
    Endpoint(
        name="trades",
        path=r"/private/trades/all/\d+/",
        answers=(
            f'{{"trades":[{_TRADE},{_TRADE_WITH_FEE}],"timestamp":1573134052,"page":1,"status":"ok","pages":9}}',
            f'{{"trades":[{_TRADE}],"timestamp":1573134052,"page":1,"status":"ok","pages":1}}',
        ),
        reading="trades",
        rows=("trades", "data"),
    ),
    Endpoint(
        name="pairs",
        path="/public/trading-pairs/get/all/",
        answers=(
            '{"btcusdt":{"title":"BTC/USDT","amountDecimals":8,"priceDecimals":2,"minAmount":0.0005,'
            '"baseCurrency":"btc","counterCurrency":"usdt"},"dtrbtc":{"baseCurrency":"dtr","counterCurrency":"btc"}}',
        ),
        reading="trades",
    ),
    Endpoint(
        name="tickers",
        path="/public/ticker/all/",
        answers=(f'{{"btcusdt":{_TICKER},"dtrbtc":{_TICKER}}}',),
        reading="quotes",
    ),
    Endpoint(
        name="ticker",
        path="/public/ticker/(?!all/)(hour/)?[a-z0-9]+/",
        answers=(_TICKER,),
        reading="quotes",
        gone=("tickers",),
    ),
    Endpoint(
        name="order book",
        path="/public/order-book/[a-z0-9]+/",
        answers=(
            '{"status":"ok","timestamp":1234567890,"bids":[["0.01234","9500.12"]],"asks":[["0.01234","9501.12"]]}',
        ),
        reading="order book",
    ),
    Endpoint(
        name="public trades",
        path="/public/trades/(minute|hour|day)/[a-z0-9]+/",
        answers=(
            '{"status":"ok","trades":[{"id":1234567,"datetime":1234567890,"price":"1234.56","type":"buy",'
            '"amount":"0.12345678"}],"timestamp":1234567890}',
        ),
        reading="public trades",
    ),
    Endpoint(
        name="voting",
        path="/public/voting/get/all/",
        answers=(
            '{"status":"ok","timestamp":1234567890,"votingEndDate":1234567890,"winnerList":[{"currency":"XLM",'
            '"currencyName":"Stellar","totalVotes":10000,"publishStatus":2,"winDate":1234567890,'
            '"addToMarketDate":1234567890}],"activeList":[{"currency":"ADA","currencyName":"Cardano","votes":5000}]}',
        ),
        reading="voting",
    ),
    Endpoint(
        name="currency names",
        path="/public/currency/all/",
        answers=(
            '{"status":"ok","currencies":{"BTC":{"name":"Bitcoin","decimals":8},"USDT":{"name":"Tether"}}}',
        ),
        reading="currency names",
    ),
)

CORPUS: dict[ExchangeName, tuple[Endpoint, ...]] = {
    ExchangeName.BTSE: BTSE,
    ExchangeName.TETHER: TETHER,
    ExchangeName.TOKENS_NET: TOKENS_NET,
}
