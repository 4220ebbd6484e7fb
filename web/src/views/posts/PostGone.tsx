import { useTranslation } from 'react-i18next';
import { useHeading, useTitle } from '@/lib/page';
import { Empty } from '@/ui/states';

export function Gone() {
  const { t } = useTranslation('posts');
  useTitle(t('goneTitle'));
  useHeading();
  return (
    <Empty level={1} title={t('goneTitle')}><p>{t('goneText')}</p></Empty>
  );
}
