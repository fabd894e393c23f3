"""What pages say about FreeAgent, in English and French. FreeAgent's own labels stay as FreeAgent writes them."""

from __future__ import annotations

from comptoir.integrations.contract import SetupStep, Words

__all__ = ["WORDS"]

_NARROW, _FIRM = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


def _fr(text: str) -> str:
    """French with the spaces that do not break before its signs; written here as ordinary ones."""
    for sign in ";!?":
        text = text.replace(f" {sign}", f"{_NARROW}{sign}")
    return text.replace(" :", f"{_FIRM}:").replace("« ", f"«{_FIRM}").replace(" »", f"{_FIRM}»")


WORDS = Words(
    about={
        "en": "Accounting software for small businesses in the United Kingdom.",
        "fr": "Logiciel de comptabilité pour les petites entreprises du Royaume-Uni.",
    },
    setup_steps=(
        SetupStep(
            text={
                "en": "Open FreeAgent's developer site and sign in. An account there is free, and need not be a "
                "company's.",
                "fr": "Ouvrez le site des développeurs de FreeAgent et connectez-vous. Le compte y est gratuit et n'a "
                "pas besoin d'être celui d'une entreprise.",
            },
            kind="developer_link",
        ),
        SetupStep(
            text={
                "en": "Under **My Apps**, choose **Create New App**. Enter a **Name** and a **Description**: your "
                "customers see the name when they approve.",
                "fr": _fr(
                    "Sous **My Apps**, choisissez **Create New App**. Saisissez un **Name** et une **Description** : "
                    "vos clients verront ce nom au moment d'approuver."
                ),
            },
        ),
        SetupStep(
            text={
                "en": "Copy this address into **OAuth Redirect URIs**.",
                "fr": "Copiez cette adresse dans **OAuth Redirect URIs**.",
            },
            kind="redirect_uri",
        ),
        SetupStep(
            text={
                "en": "Leave **Enable Accountancy Practice API** off: it is not needed.",
                "fr": _fr("Laissez **Enable Accountancy Practice API** désactivé : il n'est pas nécessaire."),
            },
        ),
        SetupStep(text={"en": "Choose **Create App**.", "fr": "Choisissez **Create App**."}),
        SetupStep(
            text={
                "en": "Copy **OAuth identifier** into **Client ID** and **OAuth secret** into **Client secret**, then "
                "choose **Save**.",
                "fr": "Copiez **OAuth identifier** dans **Client ID** et **OAuth secret** dans **Client secret**, "
                "puis choisissez **Enregistrer**.",
            },
        ),
    ),
    caution={
        "en": "**FreeAgent's sandbox is not supported.** Make the app on FreeAgent itself, and link companies there.",
        "fr": "**Le bac à sable (sandbox) de FreeAgent n'est pas pris en charge.** Créez l'application chez FreeAgent "
        "même et liez-y les entreprises.",
    },
    what_is_read={
        "en": (
            "Your company's name, currency, VAT registration and financial year",
            "Customers and suppliers with their contact details",
            "Invoices, credit notes, bills and expenses",
            "Bank accounts, their transactions and how these are explained",
            "The chart of accounts with balances, the general ledger and tax returns, price list and projects",
            "Estimates, repeating invoices, capital assets, tasks and recorded time",
        ),
        "fr": (
            "Le nom de votre entreprise, sa devise, son immatriculation à la TVA et son exercice comptable",
            "Les clients et les fournisseurs avec leurs coordonnées",
            "Les factures, les avoirs, les factures fournisseurs et les dépenses",
            "Les comptes bancaires, leurs opérations et les explications de celles-ci",
            "Le plan comptable avec ses soldes, le grand livre et les déclarations fiscales, les tarifs et les projets",
            "Les devis, les factures récurrentes, les immobilisations, les tâches et les temps saisis",
        ),
    },
    client_id_hint={
        "en": "FreeAgent calls it OAuth identifier.",
        "fr": "FreeAgent l'appelle OAuth identifier.",
    },
    client_secret_hint={
        "en": "FreeAgent calls it OAuth secret.",
        "fr": "FreeAgent l'appelle OAuth secret.",
    },
)
