"""A proof and a statement file as they go out."""

from marshmallow import Schema, fields


class ProofOut(Schema):
    """What proves one line, or the line with unsealed true; form: docs/ledger.md, "Sealing"."""

    format = fields.String()
    row = fields.Dict(keys=fields.String())
    blind = fields.String()
    path = fields.List(fields.List(fields.String()))
    block = fields.Dict(keys=fields.String())
    unsealed = fields.Boolean()


class StatementOut(Schema):
    """A statement file, as tools/verify_statement.py reads it."""

    format = fields.String()
    service = fields.String()
    holder = fields.Dict(keys=fields.String())
    period = fields.String()
    opening_balance = fields.Integer()
    closing_balance = fields.Integer()
    lines = fields.List(fields.Nested(ProofOut))
    newest_block = fields.Dict(keys=fields.String(), allow_none=True)
