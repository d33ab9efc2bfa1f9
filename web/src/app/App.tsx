import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { FrameProvider } from "@/ui/frame/FrameProvider";
import { createQueryClient } from "./queryClient";
import { createAppRouter } from "./router";
import { useTheme } from "./theme";

/** The whole: providers from the outside in, then the router. */
export function App() {
  const [client] = useState(createQueryClient);
  const [router] = useState(() => createAppRouter(client));
  useTheme();
  return (
    <QueryClientProvider client={client}>
      <FrameProvider>
        <RouterProvider router={router} />
      </FrameProvider>
    </QueryClientProvider>
  );
}
