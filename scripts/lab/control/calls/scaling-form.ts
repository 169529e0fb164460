// The parameters of Auto Scaling's calls.
import { Hook, type Group } from "../../scaling/group.ts";

/** AWS' defaults. */
const heartbeatSeconds = 3600;
const defaultResult = "ABANDON";

export function tagsIn(form: URLSearchParams): Group["tags"] {
  const tags: Group["tags"] = [];
  for (let index = 1; form.has(`Tags.member.${index}.Key`); index += 1)
    tags.push({
      key: form.get(`Tags.member.${index}.Key`) ?? "",
      value: form.get(`Tags.member.${index}.Value`) ?? "",
      atLaunch: form.get(`Tags.member.${index}.PropagateAtLaunch`) === "true",
    });
  return tags;
}

export function hooksIn(form: URLSearchParams): Hook[] {
  const hooks: Hook[] = [];
  const prefix = (index: number) => `LifecycleHookSpecificationList.member.${index}.`;
  for (let index = 1; form.has(`${prefix(index)}LifecycleHookName`); index += 1)
    hooks.push(hookIn(form, prefix(index)));
  return hooks;
}

export const hookIn = (form: URLSearchParams, prefix = ""): Hook =>
  Hook.parse({
    name: form.get(`${prefix}LifecycleHookName`),
    transition: form.get(`${prefix}LifecycleTransition`),
    heartbeatSeconds: Number(form.get(`${prefix}HeartbeatTimeout`) ?? heartbeatSeconds),
    defaultResult: form.get(`${prefix}DefaultResult`) ?? defaultResult,
  });

export function listIn(form: URLSearchParams, name: string): string[] {
  const values: string[] = [];
  for (let index = 1; form.has(`${name}.member.${index}`); index += 1)
    values.push(form.get(`${name}.member.${index}`) ?? "");
  return values;
}

/** The filters by tag, `tag:KEY`. */
export function tagFiltersIn(form: URLSearchParams): { key: string; values: string[] }[] {
  const filters: { key: string; values: string[] }[] = [];
  for (let index = 1; form.has(`Filters.member.${index}.Name`); index += 1)
    filters.push({
      key: (form.get(`Filters.member.${index}.Name`) ?? "").replace(/^tag:/, ""),
      values: listIn(form, `Filters.member.${index}.Values`),
    });
  return filters;
}
