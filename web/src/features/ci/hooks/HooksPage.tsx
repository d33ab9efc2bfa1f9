import { PageHeader } from "@/ui/PageHeader";

export function HooksPage() {
  return <PageHeader title="Pipelines" />;
}
