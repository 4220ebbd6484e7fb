import './docs.css';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { useHeading, useTitle } from '@/lib/page';
import { Loading } from '@/ui/states';

const Viewer = lazy(() => import('./Viewer'));

export default function DocsView() {
  const { t } = useTranslation('docs');
  useTitle(t('title'));
  useHeading();
  return (
    <>
      <div className="page-head">
        <h1 tabIndex={-1}>{t('title')}</h1>
      </div>
      <p className="muted">{t('text')} {t('english')}</p>
      <Suspense fallback={<Loading rows={6} />}><Viewer /></Suspense>
    </>
  );
}
