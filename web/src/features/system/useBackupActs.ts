import { useQueryClient } from "@tanstack/react-query";
import { api } from "@/api/client";
import { useToast } from "@/ui/frame/hooks";
import { useTask } from "@/ui/frame/useTask";
import type { Backup } from "./queries";

/** What can be done with backups; each is followed on the page. */
export function useBackupActs() {
  const client = useQueryClient();
  const toast = useToast();
  const told = (text: string) => {
    toast({ text });
    void client.invalidateQueries({ queryKey: ["system", "backups"] });
  };
  const make = useTask({
    run: () => api.POST("/api/v1/system/backups"),
    failed: "No backup was begun.",
    onDone: () => told("The backup begins"),
  });
  const rehearse = useTask({
    run: (backup: Backup) => api.POST("/api/v1/system/backups/{id}/rehearse", { params: { path: { id: backup.id } } }),
    failed: "No rehearsal was begun.",
    onDone: () => told("The rehearsal begins"),
  });
  const remove = useTask({
    run: (backup: Backup) => api.DELETE("/api/v1/system/backups/{id}", { params: { path: { id: backup.id } } }),
    failed: "The backup is still there.",
    onDone: (_, backup) => told(`${backup.name} is deleted`),
  });
  return { make, rehearse, remove };
}
