/**
 * The part of the fence's schema with which a standby claims the lease of a holder that has fallen silent
 * (docs/failover.md, "Silence"). A claim only expires the lease: the fence protects the database in any case.
 *
 * `claimant` contains the hosts that want to claim, by the address that the database sees. Only the latest holder
 * acknowledges them, for its own generation. `sessions_at` describes the sessions of a host as one text, which changes with each
 * statement. It is null while a statement runs, and when the owner cannot see a session of any login: a host must not look silent
 * because its sessions are hidden. It is written in PL/pgSQL, which keeps its plan between calls: every standby calls it twenty
 * times a second. A claim compares the sessions after it has locked the lease: from then on, the holder's host gets no answer of the
 * database, and an answer that it got just before is seen. A holder that was frozen inside a transaction keeps a lock on the lease; only
 * then, the claim ends the holder's sessions first, and none may exist after that.
 */
export const claimsSql = `
create table if not exists eclair_ami.claimant (
  client_address inet primary key default inet_client_addr(),
  instance_id text not null,
  registered_at timestamptz not null default clock_timestamp(),
  acknowledged_generation bigint
);

create or replace function eclair_ami.register_claimant(claimant_instance_id text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $body$
  insert into eclair_ami.claimant as c (client_address, instance_id) values (inet_client_addr(), claimant_instance_id)
    on conflict (client_address) do update set registered_at = clock_timestamp(), instance_id = excluded.instance_id,
      acknowledged_generation = case when c.instance_id = excluded.instance_id then c.acknowledged_generation end;
$body$;

create or replace function eclair_ami.acknowledge_claimants(holder_eclair_instance_id text, addresses inet[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $body$
  update eclair_ami.claimant c
    set acknowledged_generation = case when c.client_address = any (addresses) then e.generation end
    from eclair_ami.epoch e join eclair_ami.progress p on p.generation = e.generation
    where e.eclair_instance_id = holder_eclair_instance_id and e.client_address = inet_client_addr();
$body$;

create or replace function eclair_ami.sessions_at(address inet) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $body$
begin
  return (select case when bool_or(a.backend_start is null) or bool_or(a.client_addr = address
      and (a.state = 'active' or a.state is null or a.query_start is null or a.state_change is null)) then null
    else coalesce(string_agg(concat_ws(' ', a.pid, extract(epoch from a.backend_start), extract(epoch from a.query_start),
      extract(epoch from a.state_change)), ',' order by a.pid) filter (where a.client_addr = address), '') end
  from pg_stat_activity a
  where a.datname = current_database() and a.usesysid = any ((select eclair_ami.logins())::oid[]));
end
$body$;

create or replace function eclair_ami.claim_lease(holder_eclair_instance_id text, holder_generation bigint, holder_sessions text)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
declare
  holder_address inet;
begin
  select e.client_address into holder_address
    from eclair_ami.epoch e join eclair_ami.progress p using (generation)
    where e.eclair_instance_id = holder_eclair_instance_id and p.generation = holder_generation;
  if holder_address is null or not exists (select from eclair_ami.claimant c
      where c.client_address = inet_client_addr() and c.acknowledged_generation = holder_generation) then
    return false;
  end if;
  begin
    lock table public.lease in access exclusive mode nowait;
  exception when lock_not_available then
    if eclair_ami.sessions_at(holder_address) is distinct from holder_sessions then
      return false;
    end if;
    perform pg_terminate_backend(a.pid, 2000) from pg_stat_activity a
      where a.datname = current_database() and a.usesysid = any (eclair_ami.logins()) and a.client_addr = holder_address;
    holder_sessions := '';
    lock table public.lease in access exclusive mode;
  end;
  -- From here on the holder's host gets no answer. It may have had one until now, and the view has a snapshot from before.
  perform pg_stat_clear_snapshot();
  if eclair_ami.sessions_at(holder_address) is distinct from holder_sessions then
    return false;
  end if;
  update public.lease set expires_at = now()
    where id = 1 and instance = holder_eclair_instance_id and expires_at > now();
  return found;
end
$body$;
`;
