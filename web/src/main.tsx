import './styles/index.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { restore } from './api/session';
import { routeOf } from './app/routes';
import { startTexts } from './i18n';

const root = document.getElementById('app');
if (!root) throw new Error('index.html has no #app');
restore();
const route = routeOf(location.pathname);
void route?.view.load().catch(() => undefined); // what it cannot get is told where it is shown
void startTexts(route ? [route.section] : []).then(() => createRoot(root).render(<StrictMode><App /></StrictMode>));
