import { useState, useSyncExternalStore, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import { Dialog } from './Dialog';
import { store } from '@/lib/store';

interface Question {
  title: ReactNode;
  text: ReactNode;
  /** The word on the button says what happens: "Remover", never "OK". */
  action: string;
  danger?: boolean;
}

interface Asked extends Question {
  answer: (yes: boolean) => void;
}

const asked = store<Asked | null>(null);

/** Asks over the page; true when the action was chosen. */
export function confirm(question: Question): Promise<boolean> {
  return new Promise((resolve) => {
    asked.get()?.answer(false);
    asked.set({
      ...question,
      answer: (yes) => {
        asked.set(null);
        resolve(yes);
      },
    });
  });
}

function Open({ title, text, action, danger, answer }: Asked) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  const say = (yes: boolean): void => {
    if (!done) answer(yes);
    setDone(true);
  };
  return (
    <Dialog title={title} onClose={() => say(false)}>
      <div>{text}</div>
      <div className="dialog__foot">
        <Button onClick={() => say(false)}>{t('cancel')}</Button>
        <Button kind={danger ? 'danger' : 'primary'} onClick={() => say(true)}>{action}</Button>
      </div>
    </Dialog>
  );
}

/** Once in the page. */
export function ConfirmHost() {
  const question = useSyncExternalStore(asked.subscribe, asked.get);
  return question && <Open {...question} />;
}
