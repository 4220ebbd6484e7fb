import 'swagger-ui-dist/swagger-ui.css';
import { useEffect, useRef } from 'react';
import SwaggerUIBundle from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import * as session from '@/api/session';
import { isDark, onDarkChange } from '@/app/prefs';
import document_ from '@/gen/openapi.json';
import { forReaders } from './spec';

const spec = forReaders(document_);

/** Swagger UI, which has dark colours of its own under this class. */
function follow(): () => void {
  const root = document.documentElement;
  const show = (): void => {
    root.classList.toggle('dark-mode', isDark());
  };
  show();
  const off = onDarkChange(show);
  return () => {
    off();
    root.classList.remove('dark-mode');
  };
}

/** It takes itself for the whole page: its headings are made to fit below ours (its landmark: vite.config.ts). */
function fitIn(box: Element): () => void {
  const mend = (): void => {
    for (const heading of box.querySelectorAll('h3:not([aria-level]), h4:not([aria-level])')) {
      heading.setAttribute('aria-level', heading.matches('.opblock-tag') ? '2' : '3');
    }
  };
  mend();
  const changes = new MutationObserver(mend);
  changes.observe(box, { childList: true, subtree: true });
  return () => changes.disconnect();
}

export default function Viewer() {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return undefined;
    SwaggerUIBundle({
      domNode: box.current,
      spec,
      docExpansion: 'list',
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      validatorUrl: null,
      requestInterceptor: (request) => {
        const token = session.token(); // whoever is signed in here tries it out as such
        if (token !== null) request.headers.Authorization = `Bearer ${token}`;
        return request;
      },
    });
    const parts = [follow(), fitIn(box.current)];
    return () => parts.forEach((end) => end());
  }, []);
  return <div ref={box} className="docs" lang="pt-BR" />;
}
