"""What an exchange says. Plain Python: no Django, no Celery.

Importing it widens decimal arithmetic for the whole process: sums of 38-digit amounts must never be rounded.
"""

import decimal

decimal.DefaultContext.prec = decimal.getcontext().prec = 100
