"""The compiled tier: traces, bulk operations, and the machine code made of them."""
