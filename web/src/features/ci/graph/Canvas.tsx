import { type Edge, MiniMap, ReactFlow, type ReactFlowInstance, ReactFlowProvider } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useState } from "react";
import type { Graph } from "../queries";
import { places } from "./layout";
import { type Drawing, drawing, feeding, type Lit, pathThrough } from "./model";
import { type FlowNode, JobBox, ResourcePill } from "./nodes";
import "./graph.css";

/** What the header's buttons do with the drawing. */
export type View = { zoomIn: () => void; zoomOut: () => void; fit: () => void; actual: () => void };

type Props = { graph: Graph; group?: string; now: number; onReady: (view: View) => void };

const nodeTypes = { job: JobBox, pill: ResourcePill };
const fitting = { padding: { x: "24px", y: "20px" }, minZoom: 0.2, maxZoom: 1 } as const;
const manyNodes = 40;
/** Below this nobody reads the names: a large drawing begins at its beginning instead. */
const readable = 0.6;

/** The drawing of a pipeline. In a chunk of its own: only who looks at a graph loads its library. */
export function Canvas(props: Props) {
  return (
    <ReactFlowProvider>
      <Flow {...props} />
    </ReactFlowProvider>
  );
}

function Flow({ graph, group, now, onReady }: Props) {
  const drawn = useMemo(() => drawing(graph, group), [graph, group]);
  const [light, setLight] = useState<string | null>(null);
  const lit = useMemo(() => (light ? pathThrough(drawn.edges, light) : null), [drawn, light]);
  const nodes = useNodes(drawn, graph, now, lit, setLight);
  const edges = useMemo(() => flowEdges(drawn, lit), [drawn, lit]);
  const shape = useMemo(() => drawn.nodes.map(({ id }) => id).join(" "), [drawn]);
  const [flow, setFlow] = useState<ReactFlowInstance<FlowNode, Edge> | null>(null);

  const start = useCallback(
    (instance: ReactFlowInstance<FlowNode, Edge>) => {
      setFlow(instance);
      onReady({
        zoomIn: () => void instance.zoomIn(),
        zoomOut: () => void instance.zoomOut(),
        fit: () => void instance.fitView(fitting),
        actual: () => void instance.zoomTo(1),
      });
    },
    [onReady],
  );
  // Another group or a changed configuration is another drawing; a new state of a job is not.
  useEffect(() => {
    if (!flow) return undefined;
    const frame = requestAnimationFrame(() => void begin(flow));
    return () => cancelAnimationFrame(frame);
  }, [flow, shape]);

  return (
    <ReactFlow
      className={lit ? "graph has-light" : "graph"}
      aria-label={`${graph.pipeline.name}: ${drawn.nodes.length} nodes. The same is there as a table.`}
      nodes={nodes}
      edges={edges}
      nodeTypes={nodeTypes}
      onInit={start}
      onNodeMouseEnter={(_, node) => setLight(node.id)}
      onNodeMouseLeave={() => setLight(null)}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      disableKeyboardA11y
      fitView
      fitViewOptions={fitting}
      minZoom={0.2}
      maxZoom={1.75}
      panOnScroll
      zoomOnDoubleClick={false}
      onlyRenderVisibleElements={drawn.nodes.length > manyNodes}
      proOptions={{ hideAttribution: true }}
    >
      {drawn.nodes.length > manyNodes && <MiniMap pannable ariaLabel="Map of the whole pipeline" nodeClassName={(node) => node.className ?? ""} />}
    </ReactFlow>
  );
}

/** Everything at once where that can be read, else the first jobs in a size that can; "Fit" and the map show the rest. */
async function begin(flow: ReactFlowInstance<FlowNode, Edge>) {
  await flow.fitView(fitting);
  if (flow.getZoom() >= readable) return;
  await flow.fitView({ ...fitting, minZoom: readable });
  const { x, y } = flow.getNodesBounds(flow.getNodes());
  const view = flow.getViewport();
  void flow.setViewport({ ...view, x: Math.max(view.x, 24 - x * view.zoom), y: Math.max(view.y, 20 - y * view.zoom) });
}

function useNodes(drawn: Drawing, graph: Graph, now: number, lit: Lit | null, onLight: (id: string | null) => void): FlowNode[] {
  const where = useMemo(() => places(drawn), [drawn]);
  return useMemo(() => {
    // One thing moves on a screen: the first job that runs. Others have a still border.
    const first = drawn.nodes.find((node) => node.kind === "job" && node.job.next_build?.status === "started")?.id;
    return drawn.nodes.map((node): FlowNode => {
      const { x, y, width, height } = where.get(node.id) ?? { x: 0, y: 0, width: 0, height: 0 };
      const shared = { id: node.id, position: { x, y }, width, height, className: lit?.nodes.has(node.id) ? "lit" : "" };
      const data = { pipeline: graph.pipeline, now, onLight };
      return node.kind === "job"
        ? { ...shared, type: "job", ariaRole: "group", ariaLabel: `Job ${node.job.name}`, data: { ...data, node, sweeps: node.id === first } }
        : { ...shared, type: "pill", ariaRole: "group", ariaLabel: `Resource ${node.name}`, data: { ...data, node } };
    });
  }, [drawn, where, graph.pipeline, now, lit, onLight]);
}

function flowEdges(drawn: Drawing, lit: Lit | null): Edge[] {
  const fed = feeding(drawn);
  const name = (id: string) => id.split(":").at(-1) ?? id;
  return drawn.edges.map((edge) => ({
    id: edge.id,
    source: edge.from,
    target: edge.to,
    className: [edge.triggers ? "" : "lazy", (lit ? lit.edges : fed).has(edge.id) ? "lit" : ""].filter(Boolean).join(" "),
    ariaLabel: edge.to.startsWith("job:") ? `${name(edge.from)} ${edge.triggers ? "starts" : "does not start"} ${name(edge.to)}` : `${name(edge.from)} hands on ${name(edge.to)}`,
  }));
}
