import { z } from "zod";

// Compiled validators need eval, which the content security policy refuses; asking for it alone is reported.
z.config({ jitless: true });

export { z };
