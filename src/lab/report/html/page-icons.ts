/** The shapes of a page, drawn once and used by name: each kind of call has its own, so that colour is never needed. */

export const PAGE_ICONS = `<svg width="0" height="0" class="defs" aria-hidden="true"><defs>
<symbol id="i-create" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.5"/><path d="M8 5v6M5 8h6"/></symbol>
<symbol id="i-write" viewBox="0 0 16 16"><rect x="2.5" y="3.5" width="11" height="9" rx="1"/><path d="M5 6.5h6M5 9.5h4"/></symbol>
<symbol id="i-cut" viewBox="0 0 16 16"><rect x="2.5" y="3.5" width="11" height="9" rx="1"/><path d="M8 3.5v9"/></symbol>
<symbol id="i-rename" viewBox="0 0 16 16"><path d="M2 8h11M9 4l4 4-4 4"/></symbol>
<symbol id="i-link" viewBox="0 0 16 16"><path d="M6.500 9.500l3-3M7 4.500l1.500-1.500a3 3 0 0 1 4.500 4.500L11.500 9M9 11.500l-1.500 1.500a3 3 0 0 1-4.500-4.500L4.500 7"/></symbol>
<symbol id="i-unlink" viewBox="0 0 16 16"><path d="M3.500 3.500l9 9M12.500 3.500l-9 9"/></symbol>
<symbol id="i-sync" viewBox="0 0 16 16"><path d="M8 2l6 11H2z"/></symbol>
<symbol id="i-mark" viewBox="0 0 16 16"><path d="M2.500 3h11v7.500H8l-3 3v-3H2.500z"/></symbol>
<symbol id="i-other" viewBox="0 0 16 16"><path d="M8 2l6 6-6 6-6-6z"/></symbol>
<symbol id="i-bolt" viewBox="0 0 16 16"><path d="M9 1L3 9h4l-1 6 7-9H8.500z"/></symbol>
<symbol id="i-file" viewBox="0 0 16 16"><path d="M3.500 1.500h6l3 3v10h-9zM9.500 1.500v3h3"/></symbol>
<symbol id="i-directory" viewBox="0 0 16 16"><path d="M1.500 3.500h5l1.500 2h6.500v8h-13z"/></symbol>
<symbol id="i-bad" viewBox="0 0 24 24"><path d="M7.700 2.500h8.600l5.200 5.200v8.600l-5.200 5.200H7.700l-5.200-5.200V7.700zM8 8l8 8M16 8l-8 8"/></symbol>
<symbol id="i-good" viewBox="0 0 24 24"><circle cx="12" cy="12" r="9.500"/><path d="M7.500 12.500l3 3 6-7"/></symbol>
<symbol id="i-unsure" viewBox="0 0 24 24"><path d="M12 2.500l10 18.500H2zM12 9.500v5.500M12 17.500v.8"/></symbol>
</defs></svg>`;
