/** The button on other sites speaks all languages: its one file is the same for everybody. */

interface WidgetWords {
  open: string;
  close: string;
  chat: string;
  unread: string;
  live: string;
}

export const WIDGET: Record<string, WidgetWords> = {
  en: { open: "Open chat", close: "Close chat", chat: "Chat", unread: "{count} new.", live: "You are in a video call." },
  de: { open: "Chat öffnen", close: "Chat schließen", chat: "Chat", unread: "{count} neu.", live: "Sie sind in einem Videogespräch." },
  fr: { open: "Ouvrir le chat", close: "Fermer le chat", chat: "Chat", unread: "{count} nouveaux.", live: "Vous êtes en appel vidéo." },
  es: { open: "Abrir el chat", close: "Cerrar el chat", chat: "Chat", unread: "{count} nuevos.", live: "Está en una videollamada." },
  it: { open: "Apri la chat", close: "Chiudi la chat", chat: "Chat", unread: "{count} nuovi.", live: "È in una videochiamata." },
  nl: { open: "Chat openen", close: "Chat sluiten", chat: "Chat", unread: "{count} nieuw.", live: "U bent in een videogesprek." },
  pt: { open: "Abrir o chat", close: "Fechar o chat", chat: "Chat", unread: "{count} novas.", live: "Você está em uma chamada de vídeo." },
};

/** The first of these languages that the widget speaks; English otherwise. */
export function spoken(tags: readonly unknown[]): { language: string; words: WidgetWords } {
  for (const tag of tags) {
    const language = typeof tag === "string" ? tag.toLowerCase().split(/[-_]/)[0]! : "";
    const words = Object.hasOwn(WIDGET, language) ? WIDGET[language] : undefined;
    if (words) return { language, words };
  }
  return { language: "en", words: WIDGET["en"]! };
}
