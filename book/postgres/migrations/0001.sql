-- Names, spaces, topics and keys are bytes: they are ordered as bytes whatever
-- the collation, and may hold any, zeros too. Columns of fixed size come first
-- where rows are many, to save the gaps.

CREATE TABLE journal (
	part smallint NOT NULL,
	seq bigint NOT NULL,
	prev bytea NOT NULL,
	hash bytea NOT NULL,
	body bytea NOT NULL,
	PRIMARY KEY (part, seq)
);
-- Bodies are dense already; to compress them costs more than to write them.
ALTER TABLE journal ALTER COLUMN body SET STORAGE EXTERNAL;

-- Room on every page lets a new balance stay beside the old one, so that no index
-- changes.
CREATE TABLE accounts (
	balance bigint NOT NULL,
	held bigint NOT NULL,
	line bigint NOT NULL,
	opened_line bigint NOT NULL,
	currency integer NOT NULL,
	part smallint NOT NULL,
	normal smallint NOT NULL,
	never_negative boolean NOT NULL,
	closed boolean NOT NULL,
	id bytea NOT NULL,
	name bytea NOT NULL,
	PRIMARY KEY (part, id)
) WITH (fillfactor = 50);

CREATE TABLE records (
	part smallint NOT NULL,
	space bytea NOT NULL,
	key bytea NOT NULL,
	version bigint NOT NULL,
	value bytea,
	PRIMARY KEY (part, space, key)
) WITH (fillfactor = 80);

CREATE TABLE holds (
	"left" bigint NOT NULL,
	expires bigint NOT NULL,
	currency integer NOT NULL,
	part smallint NOT NULL,
	side smallint NOT NULL,
	id bytea NOT NULL,
	account bytea NOT NULL,
	PRIMARY KEY (part, id)
);

CREATE TABLE outbox (
	part smallint NOT NULL,
	number bigint NOT NULL,
	topic bytea NOT NULL,
	key bytea NOT NULL,
	body bytea NOT NULL,
	PRIMARY KEY (part, number)
);
-- A topic is read in the order of numbers, over all parts; what is done is named
-- by its number alone.
CREATE INDEX outbox_topic ON outbox (topic, number);
CREATE INDEX outbox_number ON outbox (number);

-- The batch that the tables reflect, and its hash.
CREATE TABLE progress (
	chain smallint PRIMARY KEY,
	applied bigint NOT NULL,
	hash bytea NOT NULL
);

-- Who writes: an owner drawn when it began, a turn that rises with each of its
-- connections, and the session that shows whether it lives.
CREATE TABLE writer (
	chain smallint PRIMARY KEY,
	owner uuid NOT NULL,
	turn bigint NOT NULL,
	pid integer NOT NULL,
	started timestamptz NOT NULL
);

-- Entries of parts that go to other servers, and of parts that came from there,
-- by the chain that had them: what came is the only copy, and no other table can
-- make it again. Logical replication writes here too.
CREATE TABLE carried (
	part smallint NOT NULL,
	chain smallint NOT NULL,
	n bigint NOT NULL,
	seq bigint NOT NULL,
	place integer NOT NULL,
	entry bytea NOT NULL,
	PRIMARY KEY (part, chain, n)
);
ALTER TABLE carried ALTER COLUMN entry SET STORAGE EXTERNAL;
