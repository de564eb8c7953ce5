"""The ledger: accounts, wallets, transfers, holds, lots, sealed blocks. It knows no member.

Owns every point. One transfer is one row from a source account to a target account, so it
balances by construction; rows are added and never changed or removed, a mistake is mended by a
reversal. An account is named by a code such as member:42 or merchant:7, whoever stands behind
it. It must never read another room's tables, and no other room may write these.
"""
