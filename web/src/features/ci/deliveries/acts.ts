import type { Delivery, Hook } from "../queries";

/** Why a delivery cannot be worked on again; false when it can. */
export function redeliverRefusal({ verdict, event }: Pick<Delivery, "verdict" | "event">): string | false {
  if (verdict === "refused") return "It was refused: nothing of it was kept to be worked on.";
  if (event === "ping") return "A ping asks for nothing.";
  return false;
}

/** Why GitHub cannot be asked for it; false when it can. */
export function askRefusal({ verdict }: Pick<Delivery, "verdict">, hook: Pick<Hook, "managed" | "gap"> | undefined): string | false {
  if (verdict === "refused") return "It was refused, so nobody knows whether it was GitHub who sent it.";
  if (!hook) return "Its webhook is deleted.";
  if (!hook.gap.possible) return hook.managed ? "GitHub's list can be asked after the first delivery." : "GitHub's list can be asked only with a connection. Set the webhook up under Repositories.";
  return false;
}
