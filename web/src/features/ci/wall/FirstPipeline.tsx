import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { FileCode2, Play, Webhook } from "lucide-react";
import { refusal, useSession } from "@/api/session";
import { Button } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { useTask } from "@/ui/frame/useTask";
import { Icon } from "@/ui/Icon";
import { Segmented } from "@/ui/Segmented";
import { StatusGlyph } from "@/ui/StatusGlyph";
import { hooksPath, newPipelinePath } from "../paths";
import { useGo } from "../useGo";
import { helloYaml, runHello } from "./hello";
import type { WallSearch } from "./search";

type Props = { team: string; start: WallSearch["start"]; onStart: (start: WallSearch["start"]) => void };

/** No pipeline yet: what will be here, three ways to get it, and one that runs at once. */
export function FirstPipeline({ team, start, onStart }: Props) {
  const me = useSession();
  const client = useQueryClient();
  const go = useGo();
  const refused = refusal(me, team, "member");
  const hello = useTask({ run: () => runHello(client, team), failed: "The sample pipeline does not run.", onDone: go });
  return (
    <div className="pane first-pipeline">
      <div className="empty grid grid-cols-[minmax(0,1fr)] gap-6">
        <div>
          <h2 className="headline">No pipelines yet</h2>
          <p className="muted mt-2 max-w-[560px]">
            Pipelines of <b>{team}</b> will stand here, each with its state and its last builds, as soon as one is set. Concourse pipelines work as they are.{" "}
            <a className="link" href="/docs/pipelines">The first ten minutes</a>
          </p>
        </div>
        <div className="waiting flex-wrap" role="status">
          <StatusGlyph status="running" />
          <span className="min-w-0">
            <b>Waiting for the first pipeline</b> <span className="muted desk">this page turns by itself</span>
          </span>
          <span className="actions">
            <Button kind="primary" icon={Play} busy={hello.busy} refused={refused} onClick={() => void hello.start()}>
              Run the hello pipeline
            </Button>
          </span>
        </div>
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
          <div>
            <Segmented
              label="How to set a pipeline"
              value={start}
              onChange={onStart}
              options={[
                { value: "fly", label: "fly" },
                { value: "yaml", label: "Paste YAML" },
                { value: "github", label: "GitHub" },
              ]}
            />
          </div>
          {start === "fly" && <ByFly team={team} url={me.public_url} />}
          {start === "yaml" && <ByYaml team={team} />}
          {start === "github" && <ByGitHub team={team} />}
        </div>
      </div>
      <Preview />
    </div>
  );
}

function ByFly({ team, url }: { team: string; url: string }) {
  return (
    <ol className="steps3">
      <li>
        <b>Sign in with fly</b>
        <CodeBlock code={`fly -t ${team} login -c ${url} -n ${team}`} filled={[url]} label="Sign-in command" />
      </li>
      <li>
        <b>Set the pipeline of a file and let it run</b>
        <CodeBlock
          code={`fly -t ${team} set-pipeline -p hello -c pipeline.yml\nfly -t ${team} unpause-pipeline -p hello\nfly -t ${team} trigger-job -j hello/hello -w`}
          label="Commands that set and run a pipeline"
        />
      </li>
      <li>
        <b>A pipeline.yml to begin with</b>
        <CodeBlock code={helloYaml} label="Sample pipeline" />
      </li>
    </ol>
  );
}

function ByYaml({ team }: { team: string }) {
  return (
    <div className="grid gap-3 justify-items-start">
      <p className="muted max-w-[560px]">The editor checks what you paste while you type, shows what would change, and gives the fly command that does the same.</p>
      <Link to={newPipelinePath(team)} className="btn">
        <Icon of={FileCode2} />
        Open the editor
      </Link>
    </div>
  );
}

function ByGitHub({ team }: { team: string }) {
  return (
    <div className="grid gap-3 justify-items-start">
      <p className="muted max-w-[560px]">Connect GitHub so that a push starts the jobs that get its repository at once, and each commit shows how its builds ended.</p>
      <Link to={hooksPath(team)} className="btn">
        <Icon of={Webhook} />
        Connect GitHub
      </Link>
    </div>
  );
}

const heights = [9, 10, 12, 8, 10, 7, 11, 9, 12, 10, 8, 9, 11, 10, 12, 9, 8, 10, 11, 9];

/** What a cell will look like; nothing to read or press. */
function Preview() {
  return (
    <aside className="soon desk" aria-hidden="true">
      <p className="micro">What a pipeline will look like</p>
      <div className="ghost">
        <span className="line">
          <StatusGlyph status="succeeded" />
          <b>hello</b>
          <span className="strip push">
            {heights.map((height, at) => (
              <i key={at} className="s" style={{ "--h": height } as React.CSSProperties} />
            ))}
          </span>
        </span>
        <span className="meta">hello #1 · 8 s ago</span>
      </div>
      <div className="ghost faint">
        <span className="skel block w-[72%]" />
        <span className="skel block w-[44%]" />
      </div>
    </aside>
  );
}
