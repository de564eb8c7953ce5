"""What everyone reads of sealed blocks, in JSON."""

from marshmallow import Schema, fields


class BlockOut(Schema):
    """A sealed block; hashes are hexadecimal. root binds the block before, numbers and tree."""

    no = fields.Integer()
    up_to = fields.Integer()
    count = fields.Integer()
    total = fields.Integer()
    sealed_at = fields.String()
    previous_hash = fields.String()
    tree = fields.String()
    root = fields.String()


class BlocksOut(Schema):
    """A page of blocks, the newest first."""

    items = fields.List(fields.Nested(BlockOut))
    next = fields.String(allow_none=True)
