"""The contract: what crosses a border between a service, the workers, the store and the people.

Read `events` for what services say, `guards` for the verdicts inside, `reviews`, `changes`, `controls` and `incidents`
for what people and workers say of them, `windows` and `findings` for what the workers say to each other, `topics` for
how it travels, `tables` for how it is stored, `signals` for what a service can say of a text without sending it, and
`wire` for what is refused and why. This package knows no Kafka, no ClickHouse, no clock and no environment; `emitter`
is the one exception, because it is the producer's half.

To change it: add a field with a default of None, or add a new kind with a new version. Anything else breaks
readers, and a test against the committed JSON Schema says so.
"""
