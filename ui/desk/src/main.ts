import "./lib/language";
import "@fontsource-variable/inter/index.css";
import "../../shared/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/overlays.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { openBackend } from "./lib/backend";
import { Desk } from "./lib/state/desk.svelte";
import { theme } from "./lib/state/theme.svelte";

theme.show();
const desk = new Desk(await openBackend());
const target = document.getElementById("app");
if (target !== null) mount(App, { target, props: { desk } });
await desk.start();
