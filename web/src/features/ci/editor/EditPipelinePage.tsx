import { PageHeader } from "@/ui/PageHeader";

export function EditPipelinePage() {
  return <PageHeader title="Pipelines" />;
}
