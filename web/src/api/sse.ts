// Server-sent events (WHATWG HTML, 9.2.6) out of a stream of bytes. EventSource cannot send a token.

export interface ServerEvent {
  type: string;
  data: string;
}

export interface Parser {
  feed: (text: string) => ServerEvent[];
  /** Of the last event that had one; goes into Last-Event-ID. */
  lastId: string;
  /** Milliseconds to wait before connecting anew, when the server said so. */
  retry: number | null;
}

const LINE_MAX = 1 << 20; // what no server of ours sends; more would only be kept and never used

export function parser(lastId = ''): Parser {
  let rest = '';
  let type = '';
  let data: string[] = [];
  let id = lastId;

  const field = (name: string, value: string): void => {
    if (name === 'event') type = value;
    else if (name === 'data') data.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) self.retry = Number(value);
  };

  const line = (text: string): ServerEvent | null => {
    if (text === '') {
      const event = data.length > 0 ? { type: type === '' ? 'message' : type, data: data.join('\n') } : null;
      self.lastId = id;
      type = '';
      data = [];
      return event;
    }
    const colon = text.indexOf(':');
    if (colon === -1) field(text, '');
    else if (colon > 0) field(text.slice(0, colon), text.slice(colon + 1).replace(/^ /, ''));
    return null;
  };

  const self: Parser = {
    lastId,
    retry: null,
    feed(text) {
      const events: ServerEvent[] = [];
      rest += text;
      // A CR at the very end may be half of a CRLF: it waits for the next piece.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      if (rest.length > LINE_MAX) throw new Error('a line without an end');
      for (const one of lines) {
        const event = line(one);
        if (event) events.push(event);
      }
      return events;
    },
  };
  return self;
}
