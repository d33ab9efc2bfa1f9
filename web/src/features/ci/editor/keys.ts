/** A key of the configuration with what it means; offered while typing. */
export type Key = { name: string; means: string };

const key = (name: string, means: string): Key => ({ name, means });

const hooks = [
  key("on_success", "step to run when this succeeded"),
  key("on_failure", "step to run when this failed"),
  key("on_error", "step to run when this errored"),
  key("on_abort", "step to run when this was aborted"),
  key("ensure", "step to run in any case"),
];

const steps = [
  key("get", "fetch a version of a resource"),
  key("put", "make a new version of a resource"),
  key("task", "run a program in a container"),
  key("set_pipeline", "configure a pipeline"),
  key("load_var", "read a var from a file"),
  key("in_parallel", "steps at the same time"),
  key("do", "steps one after another"),
  key("try", "a step whose failure does not matter"),
  key("across", "a step for each value of vars"),
];

const modifiers = [key("timeout", "longest time it may take, such as 1h30m"), key("attempts", "how often to try"), key("tags", "workers it may run on"), ...hooks];

const tables: Record<string, Key[]> = {
  "": [
    key("jobs", "what is done"),
    key("resources", "what is watched, fetched and put"),
    key("resource_types", "resource types of your own"),
    key("groups", "tabs of jobs"),
    key("var_sources", "where ((vars)) come from"),
    key("display", "how the pipeline looks"),
    key("signalbox", "what Concourse does not know: inputs, test reports, files to keep"),
  ],
  signalbox: [key("jobs", "more about jobs, by their names")],
  signalboxJob: [
    key("inputs", "what is asked when somebody starts it by hand; found as ((input:name))"),
    key("cancel_superseded", "a newer build aborts older ones of the same branch"),
    key("test_reports", "JUnit XML files, the first part is an output"),
    key("artifacts", "files to keep for download, the first part is an output"),
    key("sbom", "CycloneDX files, the first part is an output"),
  ],
  signalboxInputs: [
    key("name", "found as ((input:name))"),
    key("type", "string, choice, bool or secret"),
    key("description", "said in the form"),
    key("required", "it must be given"),
    key("default", "what it is when not given"),
    key("options", "what a choice is among"),
    key("pattern", "regular expression that the text must match"),
  ],
  signalboxArtifacts: [key("path", "which files, the first part is an output"), key("keep", "how long, such as 720h")],
  resources: [
    key("name", "how jobs call it"),
    key("type", "git, time, mock, registry-image or one of resource_types"),
    key("source", "where it is and how to reach it"),
    key("check_every", "how often to look for new versions, such as 1m or never"),
    key("check_timeout", "longest time a look may take"),
    key("icon", "name of an icon"),
    key("version", "the one version to use"),
    key("webhook_token", "secret of its webhook"),
    key("public", "show its metadata to everybody"),
    key("expose_build_created_by", "tell it who started a build"),
    key("tags", "workers that look"),
  ],
  resource_types: [key("name", "how resources call it"), key("type", "what brings its image"), key("source", "where the image is"), key("privileged", "give it more rights"), key("params", "params of the get of its image"), key("check_every", "how often to look for new images"), key("defaults", "defaults of its source"), key("tags", "workers it runs on")],
  jobs: [
    key("name", "how it is called"),
    key("plan", "its steps"),
    key("serial", "one build at a time"),
    key("serial_groups", "one build at a time among jobs of a group"),
    key("max_in_flight", "most builds at a time"),
    key("public", "show its logs to everybody"),
    key("disable_manual_trigger", "nobody may start it by hand"),
    key("interruptible", "a stopping worker need not wait for it"),
    key("build_log_retention", "how many builds keep their log"),
    key("old_name", "what it was called before"),
    ...hooks,
  ],
  groups: [key("name", "how the tab is called"), key("jobs", "names of jobs; * matches any letters")],
  var_sources: [key("name", "how vars call it"), key("type", "vault, dummy, ssm or secretmanager"), key("config", "how to reach it")],
  plan: [
    ...steps,
    key("resource", "the resource where its name is another"),
    key("passed", "only versions that these jobs have passed"),
    key("trigger", "start the job when a new version comes"),
    key("version", "latest, every, or one version"),
    key("params", "settings for this step"),
    key("get_params", "settings for the get after a put"),
    key("no_get", "do not get what was put"),
    key("inputs", "which artifacts a put is given"),
    key("file", "task configuration in an artifact"),
    key("config", "task configuration, here"),
    key("image", "artifact that is the image"),
    key("vars", "values for ((vars)) of the file"),
    key("input_mapping", "names of inputs as the task calls them"),
    key("output_mapping", "names of outputs as others call them"),
    key("privileged", "give the task more rights"),
    key("container_limits", "cpu and memory it may use"),
    ...modifiers,
  ],
  config: [key("platform", "linux"), key("image_resource", "the image"), key("inputs", "artifacts it is given"), key("outputs", "artifacts it makes"), key("caches", "folders kept for the next build"), key("params", "environment"), key("run", "the program"), key("container_limits", "cpu and memory it may use"), key("rootfs_uri", "image on the worker")],
  run: [key("path", "the program"), key("args", "its arguments"), key("dir", "where it runs"), key("user", "who runs it")],
  image_resource: [key("type", "registry-image"), key("source", "where the image is"), key("params", "settings of its get"), key("version", "one version of it")],
  source: [key("uri", "address of the repository"), key("branch", "branch to follow"), key("paths", "only changes of these"), key("ignore_paths", "not changes of these"), key("private_key", "key to reach it"), key("username", "name to sign in with"), key("password", "password or token"), key("repository", "name of the image"), key("tag", "tag of the image"), key("tag_filter", "tags to follow"), key("interval", "how often, for time"), key("start", "from when, for time"), key("stop", "until when, for time"), key("days", "on which days, for time"), key("location", "time zone, for time")],
  in_parallel: [key("steps", "what runs at the same time"), key("limit", "how many at most"), key("fail_fast", "stop the others when one fails")],
  build_log_retention: [key("days", "for so many days"), key("builds", "of so many builds"), key("minimum_succeeded_builds", "of so many that succeeded")],
  container_limits: [key("cpu", "shares"), key("memory", "bytes, such as 1GB")],
  across: [key("var", "name of the var"), key("values", "its values"), key("max_in_flight", "how many at the same time")],
};

const lists = new Set(["do", "steps", "try", "on_success", "on_failure", "on_error", "on_abort", "ensure"]);

/**
 * What may stand at a place of the text: the keys of the nearest parent above, by indentation. Good enough for the block
 * style that people write; inside braces it offers nothing.
 */
export function keysAt(before: string): Key[] {
  const lines = before.split("\n");
  const typed = lines.pop() ?? "";
  if (!/^[\s-]*[\w]*$/.test(typed)) return [];
  const ours = extensionKeys(lines, typed);
  if (ours) return ours;
  let parent = "";
  let depth = keyColumn(typed);
  for (let at = lines.length - 1; at >= 0 && depth > 0; at -= 1) {
    const line = lines[at] as string;
    const found = /^([\s-]*)([\w]+):/.exec(line);
    if (!found || /^\s*#/.test(line)) continue;
    const column = (found[1] as string).length;
    // A list may stand as far left as the key it belongs to.
    const isParent = column < depth && !(column === keyColumn(typed) && /^\s*-/.test(line));
    if (!isParent) continue;
    depth = column;
    const name = found[2] as string;
    if (tables[name] || lists.has(name)) {
      parent = lists.has(name) ? "plan" : name;
      break;
    }
  }
  if (parent === "" && keyColumn(typed) > 0) return [];
  return tables[parent] ?? [];
}

/** Where the key on this line begins: behind its indent and dashes. */
function keyColumn(line: string): number {
  return (/^[\s-]*/.exec(line)?.[0] ?? "").length;
}

/** The keys below `signalbox`, where the names of jobs stand between; nothing outside of it. */
function extensionKeys(lines: string[], typed: string): Key[] | undefined {
  const path: string[] = [];
  let depth = keyColumn(typed);
  for (let at = lines.length - 1; at >= 0 && depth > 0; at -= 1) {
    const [, indent, name] = /^([\s-]*)([\w.-]+):/.exec(lines[at] as string) ?? [];
    if (name === undefined || (indent as string).length >= depth) continue;
    depth = (indent as string).length;
    path.unshift(name);
  }
  const [top, jobs, job, list] = path;
  if (top !== "signalbox") return undefined;
  if (jobs === undefined) return tables.signalbox;
  if (jobs !== "jobs" || job === undefined) return [];
  if (list === undefined) return tables.signalboxJob;
  return list === "inputs" ? tables.signalboxInputs : list === "artifacts" ? tables.signalboxArtifacts : [];
}
