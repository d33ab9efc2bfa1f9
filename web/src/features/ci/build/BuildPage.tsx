import { PageHeader } from "@/ui/PageHeader";

export function BuildPage() {
  return <PageHeader title="Pipelines" />;
}
