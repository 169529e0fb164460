import { escapeLiteral } from "pg";
import { sessionNames } from "../contract/database-sessions.ts";
import { claimsSql } from "./claims.ts";

/** The version of the fence that `fenceSql` creates. */
export const fenceVersion = 7;

/**
 * Images that know only an older version of the fence are refused. An image that knows version 3 works with later versions:
 * its Eclairs have one session name, so the fence distinguishes them by their host's address, as version 3 does. An image that
 * knows version 4 never claims a lease, and is never a claimant's victim, because it acknowledges none. An image that knows
 * version 5 ends only sessions of its own login: the first rotation of the login refuses it. With version 6, a claim compares the
 * sessions of the holder's host only before it locks the lease.
 */
export const minimumImageVersion = 3;
export const minimumImageVersionWithLogins = 6;

/** The key of the advisory lock that a write without a check of the lease shares, and that a change of holder takes. */
export const writersLock = "6172919002";

/** Whether a row of `pg_stat_activity` is a session of an Eclair. Images that know only version 3 use the plain name. */
const isEclairSession = `split_part(a.application_name, '${sessionNames.separator}', 1) = '${sessionNames.eclair}'`;

/**
 * Creates the schema `eclair_ami` in a node's database; existing parts stay. The owner of the database owns the schema. The
 * runtime role may read the tables and call some functions (`grantsSql`). The owner runs it in one transaction, after `lease` exists.
 *
 * The *runtime role* owns Eclair's tables. A *login* is the runtime role itself, or a member of it that Eclair and the supervisor
 * connect as (`roles.ts`). The owner of the database, its members and superusers are members as well, and are no logins. The functions
 * treat all logins alike. The owner is a member of each login, and therefore sees and ends its sessions: these functions run
 * as the owner.
 *
 * The trigger on `lease` gives each holder an epoch. A holder is the random id that an Eclair process generates for itself.
 * A superseded holder is refused forever, because its memory may be outdated: Eclair itself takes an expired lease when it
 * renews, whichever Eclair held the lease in between. A change of holder first ends the sessions of all other Eclairs, on
 * every host, and then waits for their last writes: it takes the advisory lock exclusively. The renewal of a holder's own
 * lease takes no lock but Eclair's own.
 *
 * `require_holder` protects the writes that Eclair makes without a check of the lease (`fenceTables`). It refuses a session
 * that is not of the latest holder's process, by session name and address. It shares the advisory lock until the write is
 * committed, and never reads `lease`: a transaction that has read `lease` delays the renewal, and Eclair ends when its
 * renewal waits for 5 s.
 */
export const fenceSql = (runtimeRole: string): string => `
create schema if not exists eclair_ami;
revoke all on schema eclair_ami from public;
create table if not exists eclair_ami.fence (
  one boolean primary key default true check (one),
  version integer not null,
  minimum_image_version integer not null,
  created_at timestamptz not null default now()
);
alter table eclair_ami.fence add column if not exists runtime_role name;

create or replace function eclair_ami.logins() returns oid[]
language sql stable security definer set search_path = pg_catalog, pg_temp as $body$
  select array_agg(r.oid) from pg_roles r join eclair_ami.fence f on pg_has_role(r.oid, f.runtime_role, 'member')
    where not pg_has_role(r.oid, current_user, 'member');
$body$;

create table if not exists eclair_ami.binding (
  one boolean primary key default true check (one),
  node_id text not null,
  chain text not null,
  channel_seed_fingerprint text not null,
  on_chain_fingerprint text,
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
alter table eclair_ami.progress add column if not exists processed_height integer;

create table if not exists eclair_ami.epoch (
  eclair_instance_id text primary key,
  generation bigint not null unique,
  began_at timestamptz not null default clock_timestamp(),
  client_address inet default inet_client_addr()
);
alter table eclair_ami.epoch add column if not exists instance_id text, add column if not exists image_id text,
  add column if not exists session_name text;

create or replace function eclair_ami.fence() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  latest text;
begin
  select e.eclair_instance_id into latest from eclair_ami.epoch e order by e.generation desc limit 1;
  if latest is not distinct from new.instance then
    return new;
  end if;
  if exists (select from eclair_ami.epoch e where e.eclair_instance_id = new.instance) then
    raise exception 'eclair-ami: % was superseded by % and can never hold the lease again', new.instance, latest
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  update eclair_ami.progress set generation = generation + 1;
  insert into eclair_ami.epoch (eclair_instance_id, generation, session_name)
    select new.instance, p.generation, current_setting('application_name') from eclair_ami.progress p;
  perform pg_terminate_backend(a.pid) from pg_stat_activity a
    where a.datname = current_database() and a.usesysid = any ((select eclair_ami.logins())::oid[]) and ${isEclairSession}
      and (a.client_addr is distinct from inet_client_addr() or a.application_name <> current_setting('application_name'));
  perform pg_advisory_xact_lock(${writersLock});
  return new;
end
$body$;

create or replace function eclair_ami.require_holder() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  latest record;
begin
  if pg_has_role(session_user, current_user, 'member')
      or not pg_has_role(session_user, (select f.runtime_role from eclair_ami.fence f), 'member') then
    return null;
  end if;
  perform pg_advisory_xact_lock_shared(${writersLock});
  select e.client_address, e.session_name into latest from eclair_ami.epoch e order by e.generation desc limit 1;
  if latest.client_address is distinct from inet_client_addr() then
    raise exception 'eclair-ami: the holder of the lease is at %, and % was superseded', latest.client_address, inet_client_addr()
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  if latest.session_name <> current_setting('application_name') then
    raise exception 'eclair-ami: the holder of the lease has the session name %, and % was superseded', latest.session_name, current_setting('application_name')
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  return null;
end
$body$;

create or replace function eclair_ami.describe_holder(holder_eclair_instance_id text, holder_instance_id text, holder_image_id text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $body$
  update eclair_ami.epoch e set instance_id = holder_instance_id, image_id = holder_image_id
    where e.eclair_instance_id = holder_eclair_instance_id and e.instance_id is null;
$body$;

create or replace function eclair_ami.raise_counter(holder_eclair_instance_id text, out generation bigint, out counter bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
begin
  update eclair_ami.progress p set counter = p.counter + 1
    where exists (select from eclair_ami.epoch e
      where e.eclair_instance_id = holder_eclair_instance_id and e.generation = p.generation)
    returning p.generation, p.counter into raise_counter.generation, raise_counter.counter;
end
$body$;

create or replace function eclair_ami.note_processed_height(holder_eclair_instance_id text, height integer) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $body$
  update eclair_ami.progress p set processed_height = height
    where exists (select from eclair_ami.epoch e
      where e.eclair_instance_id = holder_eclair_instance_id and e.generation = p.generation);
$body$;

create or replace function eclair_ami.end_superseded_sessions() returns void
language sql security definer set search_path = pg_catalog, pg_temp as $body$
  select pg_terminate_backend(a.pid) from pg_stat_activity a
    where a.datname = current_database() and a.usesysid = any ((select eclair_ami.logins())::oid[]) and ${isEclairSession}
      and a.client_addr is distinct from inet_client_addr()
      and not exists (select from public.lease where expires_at > now());
$body$;

${claimsSql}
revoke all on all tables in schema eclair_ami from public;
revoke all on all functions in schema eclair_ami from public;
drop trigger if exists eclair_ami_fence on public.lease;
create trigger eclair_ami_fence before insert or update on public.lease
  for each row execute function eclair_ami.fence();
alter table public.lease enable always trigger eclair_ami_fence;

insert into eclair_ami.fence as f (version, minimum_image_version, runtime_role)
  values (${fenceVersion}, ${minimumImageVersion}, ${escapeLiteral(runtimeRole)})
  on conflict (one) do update set version = excluded.version, runtime_role = coalesce(f.runtime_role, excluded.runtime_role),
    minimum_image_version = greatest(excluded.minimum_image_version, f.minimum_image_version), created_at = now();
`;

/** Eclair's own lease table, as `PgLock.LeaseLock.initializeLeaseTable` creates it. */
export const leaseSql =
  "create table if not exists public.lease (id integer primary key default(1), expires_at timestamp with time zone not null, instance varchar not null, constraint one_row check (id = 1))";
