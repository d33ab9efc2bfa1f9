import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { sessionQuery } from "@/api/session";
import { Gate } from "./Gate";
import { PasswordFields, usePasswordChange } from "./PasswordForm";
import { destination } from "./destination";

/** The first thing after a given password: choose one's own. */
export function WelcomePage() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { next } = useSearch({ strict: false }) as { next?: unknown };
  const form = usePasswordChange(async () => {
    await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
    await navigate({ href: destination(next) + window.location.hash, replace: true });
  });
  useEffect(() => {
    document.title = "Choose a password · Signalbox";
  }, []);
  return (
    <Gate title="Choose your own password" lead="The one you signed in with was given to you. It stops working now." onSubmit={form.submit}>
      <PasswordFields form={form} currentLabel="The password you were given" act="Save and go on" />
    </Gate>
  );
}
