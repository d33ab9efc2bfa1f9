import { PageHeader } from "@/ui/PageHeader";

export function NewPipelinePage() {
  return <PageHeader title="Pipelines" />;
}
