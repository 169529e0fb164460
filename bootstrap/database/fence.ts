/** The version of what `fenceSql` makes. */
export const fenceVersion = 1;

/** The oldest image, by the fence it knows, that can work with this one. */
export const leastImage = 1;

/**
 * Everything of ours in a node's database, whatever of it is there already. It belongs to the database's owner; the
 * runtime role may read it and call one function. To be run by the owner in one transaction, after `lease` is there.
 *
 * The trigger gives each holder of Eclair's lease an epoch. A holder is the random id that an Eclair process makes
 * for itself; one that was superseded is refused for ever, since what it remembers may be old (Eclair itself takes an
 * expired lease at a renewal, whoever had it in between).
 */
export const fenceSql = `
create schema if not exists eclair_ami;
revoke all on schema eclair_ami from public;

create table if not exists eclair_ami.fence (
  one boolean primary key default true check (one),
  version integer not null,
  least_image integer not null,
  made_at timestamptz not null default now()
);

create table if not exists eclair_ami.binding (
  one boolean primary key default true check (one),
  node_id text not null,
  chain text not null,
  channel_seed text not null,
  on_chain text,
  database_id uuid not null,
  system_identifier text not null,
  database_oid oid not null,
  bound_at timestamptz not null default now()
);

create table if not exists eclair_ami.progress (
  one boolean primary key default true check (one),
  generation bigint not null default 0,
  counter bigint not null default 0
);
insert into eclair_ami.progress default values on conflict do nothing;

create table if not exists eclair_ami.epoch (
  instance text primary key,
  generation bigint not null unique,
  began_at timestamptz not null default clock_timestamp(),
  client_address inet default inet_client_addr()
);

create or replace function eclair_ami.fence() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  latest text;
begin
  select e.instance into latest from eclair_ami.epoch e order by e.generation desc limit 1;
  if latest is not distinct from new.instance then
    return new;
  end if;
  if exists (select from eclair_ami.epoch e where e.instance = new.instance) then
    raise exception 'eclair-ami: % was superseded by % and can never hold the lease again', new.instance, latest
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  update eclair_ami.progress set generation = generation + 1;
  insert into eclair_ami.epoch (instance, generation)
    select new.instance, p.generation from eclair_ami.progress p;
  return new;
end
$body$;

create or replace function eclair_ami.raise_counter(holder text, out generation bigint, out counter bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
begin
  update eclair_ami.progress p set counter = p.counter + 1
    where exists (select from eclair_ami.epoch e where e.instance = holder and e.generation = p.generation)
    returning p.generation, p.counter into raise_counter.generation, raise_counter.counter;
end
$body$;

revoke all on all tables in schema eclair_ami from public;
revoke all on all functions in schema eclair_ami from public;
drop trigger if exists eclair_ami_fence on public.lease;
create trigger eclair_ami_fence before insert or update on public.lease
  for each row execute function eclair_ami.fence();
alter table public.lease enable always trigger eclair_ami_fence;

insert into eclair_ami.fence (version, least_image) values (${fenceVersion}, ${leastImage})
  on conflict (one) do update set version = excluded.version, least_image = excluded.least_image, made_at = now();
`;

/** Eclair's own lease table, as `PgLock.LeaseLock.initializeLeaseTable` makes it. */
export const leaseSql =
  "create table if not exists public.lease (id integer primary key default(1), expires_at timestamp with time zone not null, instance varchar not null, constraint one_row check (id = 1))";
