-- The fence of version 3, without its triggers on the tables of Eclair (`fenceTables`).

create schema if not exists eclair_ami;
revoke all on schema eclair_ami from public;
create table if not exists eclair_ami.fence (
  one boolean primary key default true check (one),
  version integer not null,
  minimum_image_version integer not null,
  created_at timestamptz not null default now()
);

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

create table if not exists eclair_ami.epoch (
  eclair_instance_id text primary key,
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
  select e.eclair_instance_id into latest from eclair_ami.epoch e order by e.generation desc limit 1;
  if latest is not distinct from new.instance then
    return new;
  end if;
  if exists (select from eclair_ami.epoch e where e.eclair_instance_id = new.instance) then
    raise exception 'eclair-ami: % was superseded by % and can never hold the lease again', new.instance, latest
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  update eclair_ami.progress set generation = generation + 1;
  insert into eclair_ami.epoch (eclair_instance_id, generation)
    select new.instance, p.generation from eclair_ami.progress p;
  perform pg_terminate_backend(a.pid) from pg_stat_activity a
    where a.datname = current_database() and a.usename = session_user and a.application_name = 'eclair'
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

revoke all on all tables in schema eclair_ami from public;
revoke all on all functions in schema eclair_ami from public;
drop trigger if exists eclair_ami_fence on public.lease;
create trigger eclair_ami_fence before insert or update on public.lease
  for each row execute function eclair_ami.fence();
alter table public.lease enable always trigger eclair_ami_fence;

insert into eclair_ami.fence (version, minimum_image_version) values (3, 3)
  on conflict (one) do update set version = excluded.version,
    minimum_image_version = excluded.minimum_image_version, created_at = now();
