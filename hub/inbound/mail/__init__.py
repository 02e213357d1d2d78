"""Mail: letters come in, and the mail stage says whom we believe and what becomes of each.

    smtp, imap, providers' webhooks → Letter (hub.contract.letter) → `messages`, as every message
    post (the stage): limits → marks → verdict → partner → loops → dedupe → thread → reading → outcome

A letter is a row of `messages` with transport `email`. SMTP, LMTP and IMAP keep the raw MIME as its body,
with the envelope in the head; a provider's post is kept as it came, and `Channel.open` makes the letter of it.
Intake's keeper and group commit, dedupe, replay, retention, redaction and exceptions are those of all messages.

What the rooms of this folder promise each other:

    marks.py     Marks: the identity headers of raw MIME, read by bounded code of our own, without a parser
    verdict.py   Verdict: whom we believe, why or why not
    thread.py    Thread: which order a reply is about, and how that is known
    cell.py      Cell: runs a pure function in a child process with limits, which may die in the hub's place
    reading/     `rules_of(connection, partner, registry) -> Rules` and `read(raw, rules) -> Reading`: both pure, both values
                 to be pickled; `read` runs in the cell, and may be killed by its limits
    outcome.py   `gather(engine, tenant, reading, verdict, thread) -> Known` asks the store what has to be known,
                 `decide(reading, verdict, partner, thread, known) -> Decision` is pure
    post.py      the stage: a step; records a Decision's facts as said by the letter itself, in the one transaction
                 that settles it, with its events (`email.received`, `email.quarantined`) and its own rows
"""
