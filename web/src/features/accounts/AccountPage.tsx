import { useSession } from "@/api/session";
import { Facts } from "@/ui/facts";
import { usePage, useToast } from "@/ui/frame/hooks";
import { PageHeader } from "@/ui/PageHeader";
import { PasswordFields, usePasswordChange } from "./PasswordForm";

/** The person's own page: who they are here, and their password. */
export function AccountPage() {
  const me = useSession();
  const toast = useToast();
  usePage({ title: "Account", crumbs: [{ label: "Account" }] });
  const form = usePasswordChange(() => toast({ text: "Password changed. Other sessions are signed out." }));
  return (
    <>
      <PageHeader title={me.user.name} meta={me.user.is_admin ? "administrator of this server" : "your account"} />
      <div className="pane measure grid gap-6">
        <section className="grid gap-3">
          <h2>Teams</h2>
          {me.teams.length > 0 ? <Facts items={me.teams.map(({ name, role }) => [name, role])} /> : <p className="muted">None yet.</p>}
        </section>
        <section className="grid gap-3">
          <h2>Password</h2>
          <form className="grid gap-4 max-w-[360px]" onSubmit={form.submit} noValidate>
            <PasswordFields form={form} act="Change password" />
          </form>
        </section>
      </div>
    </>
  );
}
