import { expect, it } from "vitest";
import { keysAt } from "./keys";

const names = (text: string) => keysAt(text).map(({ name }) => name);

it.each([
  ["at the top", "jo", "jobs"],
  ["in a resource", "resources:\n- name: a\n  ty", "type"],
  ["in a list that is indented", "resources:\n  - na", "name"],
  ["in a job", "jobs:\n- name: a\n  ser", "serial"],
  ["in a plan", "jobs:\n- name: a\n  plan:\n  - ge", "get"],
  ["at a step", "jobs:\n- name: a\n  plan:\n  - get: x\n    tri", "trigger"],
  ["in a task's configuration", "jobs:\n- plan:\n  - task: t\n    config:\n      plat", "platform"],
  ["in its run", "jobs:\n- plan:\n  - task: t\n    config:\n      run:\n        pa", "path"],
  ["at the top, for what is ours", "sig", "signalbox"],
  ["below it", "signalbox:\n  jo", "jobs"],
  ["for a job below it", "signalbox:\n  jobs:\n    deploy:\n      test", "test_reports"],
  ["for an input", "signalbox:\n  jobs:\n    deploy:\n      inputs:\n      - name: a\n        opt", "options"],
  ["for kept files", "signalbox:\n  jobs:\n    deploy:\n      artifacts:\n        - path: a\n          ke", "keep"],
  ["in parallel steps", "jobs:\n- plan:\n  - in_parallel:\n      steps:\n      - ge", "get"],
])("offers keys %s", (_, text, name) => expect(names(text)).toContain(name));

it.each([
  ["after a value began", "jobs: x"],
  ["where the name of a job stands", "signalbox:\n  jobs:\n    de"],
  ["inside braces", "resources:\n- {na"],
])("offers nothing %s", (_, text) => expect(names(text)).toEqual([]));

it("does not offer keys of jobs to resources", () => expect(names("resources:\n- name: a\n  p")).not.toContain("plan"));
