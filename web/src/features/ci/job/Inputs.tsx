import { Facts } from "@/ui/facts";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { statusWord } from "@/ui/status";
import { jobAddress, resourceAddress } from "../address";
import { AddressLink } from "../AddressLink";
import type { Job, Pipeline } from "../queries";
import { jobStatus } from "../state";
import { neighbours } from "./neighbours";

/** What a job takes and what it hands on. */
export function Inputs({ pipeline, job, jobs }: { pipeline: Pipeline; job: Job; jobs: Job[] }) {
  if (job.inputs.length === 0 && job.outputs.length === 0) return null;
  const { before, after } = neighbours(job, jobs);
  const standing = (names: string[]) =>
    names.map((name) => {
      const one = jobs.find((other) => other.name === name);
      const status = one ? jobStatus(one) : "pending";
      return (
        <span key={name} className="line">
          <StatusGlyph status={status} label={statusWord(status)} />
          <AddressLink className="link" at={jobAddress(pipeline, name)}>
            {name}
          </AddressLink>
        </span>
      );
    });
  const resource = (name: string) => (
    <AddressLink className="link" at={resourceAddress(pipeline, name)}>
      {name}
    </AddressLink>
  );
  const starting = job.inputs.filter(({ trigger }) => trigger);
  const taken = job.inputs.filter(({ trigger }) => !trigger);
  const list = (inputs: Job["inputs"]) =>
    inputs.map((input, at) => (
      <span key={input.name}>
        {at > 0 && ", "}
        {resource(input.resource)}
        {input.passed.length > 0 && (
          <span className="muted">
            {" "}
            passed{" "}
            {input.passed.map((name, place) => (
              <span key={name}>
                {place > 0 && ", "}
                <AddressLink className="link" at={jobAddress(pipeline, name)}>
                  {name}
                </AddressLink>
              </span>
            ))}
          </span>
        )}
      </span>
    ));
  const items: [string, React.ReactNode][] = [["Started by", starting.length > 0 ? list(starting) : "hand only"]];
  if (taken.length > 0) items.push(["Also takes", list(taken)]);
  if (job.outputs.length > 0) items.push(["Puts", job.outputs.map((output, at) => <span key={output.name}>{at > 0 && ", "}{resource(output.resource)}</span>)]);
  if (before.length > 0) items.push(["Upstream", <span key="before" className="line flex-wrap">{standing(before)}</span>]);
  if (after.length > 0) items.push(["Downstream", <span key="after" className="line flex-wrap">{standing(after)}</span>]);
  return (
    <div className="pane">
      <Facts items={items} />
    </div>
  );
}
