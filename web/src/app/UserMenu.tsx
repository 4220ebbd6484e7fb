import { useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { Button as AriaButton, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from 'react-aria-components';
import { signOut } from '@/api/session';
import { useSession } from '@/api/useSession';
import { currentLanguage, setLanguage, type Language } from '@/i18n';
import { useFormat } from '@/i18n/format';
import { Icon } from '@/ui/icons';
import { toast } from '@/ui/toast';
import { passwordAsked } from '@/views/accounts/asked';
import { setTheme, theme, type Theme } from './prefs';

const THEMES: Theme[] = ['system', 'light', 'dark'];
const LANGUAGES: [Language, string][] = [['pt', 'Português (Brasil)'], ['en', 'English']];

function Choice({ id, text, lang }: { id: string; text: string; lang?: string }) {
  return (
    <MenuItem id={id} className="menu__item" textValue={text}>
      {({ isSelected }) => (
        <>
          <span className="menu__check">{isSelected && <Icon name="check" size={16} />}</span>
          <span lang={lang}>{text}</span>
        </>
      )}
    </MenuItem>
  );
}

export default function UserMenu({ label }: { label: string }) {
  const { t } = useTranslation();
  const { user, endsAt } = useSession();
  const format = useFormat();
  const [open, setOpen] = useState(true); // it is here because somebody asked for it
  const chosen = useSyncExternalStore(theme.subscribe, theme.get);
  return (
    <MenuTrigger isOpen={open} onOpenChange={setOpen}>
      <AriaButton id="menu-da-conta" className="button button--quiet button--icon" aria-label={label}><Icon name={user ? 'user' : 'settings'} /></AriaButton>
      <Popover className="menu-popover" placement="bottom end">
        <Menu className="menu" aria-label={label}>
          {user && (
            <MenuSection className="menu__section" aria-label={user.nome}>
              <Header className="menu__title">
                <strong>{user.nome}</strong><br />
                {user.email}<br />
                {t(`account.role.${user.papel}`)}<br />
                {endsAt && t('account.until', { hora: format.time(endsAt) })}
              </Header>
              <MenuItem id="password" className="menu__item" onAction={() => passwordAsked.set(true)}><span className="menu__check" />{t('account.password')}</MenuItem>
              <MenuItem id="out" className="menu__item" onAction={() => {
                signOut();
                toast(t('account.signedOut'));
              }}><span className="menu__check" />{t('account.signOut')}</MenuItem>
            </MenuSection>
          )}
          <MenuSection className="menu__section" aria-label={t('prefs.theme')} selectionMode="single" disallowEmptySelection
            selectedKeys={[chosen]} onSelectionChange={(keys) => {
              if (keys !== 'all') keys.forEach((key) => setTheme(key as Theme));
            }}>
            <Header className="menu__title">{t('prefs.theme')}</Header>
            {THEMES.map((one) => <Choice key={one} id={one} text={t(`prefs.${one}`)} />)}
          </MenuSection>
          <MenuSection className="menu__section" aria-label={t('prefs.language')} selectionMode="single" disallowEmptySelection
            selectedKeys={[currentLanguage()]} onSelectionChange={(keys) => {
              if (keys !== 'all') keys.forEach((key) => void setLanguage(key as Language));
            }}>
            <Header className="menu__title">{t('prefs.language')}</Header>
            {LANGUAGES.map(([one, text]) => <Choice key={one} id={one} text={text} lang={one} />)}
          </MenuSection>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
