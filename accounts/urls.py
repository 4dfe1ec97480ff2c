"""Addresses of log-in, sign-up and everything around an account: allauth's, with our own way in."""

from __future__ import annotations

from django.urls import include, path

from accounts.views import Login, Signup

urlpatterns = [
    path("login/", Login.as_view(), name="account_login"),
    path("signup/", Signup.as_view(), name="account_signup"),
    path("", include("allauth.urls")),
]
