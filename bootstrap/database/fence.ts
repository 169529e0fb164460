import { eclairSessions } from "./url.ts";

/** The version of what `fenceSql` makes. */
export const fenceVersion = 2;

/** The oldest image, by the fence it knows, that can work with this one. */
export const leastImage = 1;

/**
 * Everything of ours in a node's database, whatever of it is there already. It belongs to the database's owner; the
 * runtime role may read it and call one function. To be run by the owner in one transaction, after `lease` is there.
 *
 * The trigger gives each holder of Eclair's lease an epoch. A holder is the random id that an Eclair process makes
 * for itself; one that was superseded is refused for ever, since what it remembers may be old (Eclair itself takes an
 * expired lease at a renewal, whoever had it in between). A takeover ends the sessions of Eclairs on other hosts.
 *
 * `require_holder` is for Eclair's own tables (`fenceTables`), many of which Eclair writes without a look at the lease:
 * it refuses whoever comes from another address than the lease's latest holder. It reads the lease, so that a takeover
 * waits for the end of a write that was allowed, as it does for those that Eclair checks itself.
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
alter table eclair_ami.epoch add column if not exists instance_id text, add column if not exists image_id text;

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
  perform pg_terminate_backend(a.pid) from pg_stat_activity a
    where a.datname = current_database() and a.usename = session_user and a.application_name = '${eclairSessions}'
      and a.client_addr is distinct from inet_client_addr();
  return new;
end
$body$;

create or replace function eclair_ami.require_holder() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  latest inet;
begin
  if session_user <> (select pg_get_userbyid(c.relowner) from pg_class c where c.oid = tg_relid) then
    return null;
  end if;
  perform from public.lease;
  select e.client_address into latest from eclair_ami.epoch e order by e.generation desc limit 1;
  if latest is distinct from inet_client_addr() then
    raise exception 'eclair-ami: the holder of the lease is at %, and % was superseded', latest, inet_client_addr()
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return null;
end
$body$;

create or replace function eclair_ami.describe_holder(holder text, instance_id text, image_id text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $body$
  update eclair_ami.epoch e set instance_id = describe_holder.instance_id, image_id = describe_holder.image_id
    where e.instance = holder and e.instance_id is null;
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
