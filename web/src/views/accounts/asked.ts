import { store } from '@/lib/store';

/** Is the dialog for one's own password wanted? Its code comes when it is. */
export const passwordAsked = store(false);
