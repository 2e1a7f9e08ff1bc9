/** What a book has noted since the last save, in order: replayed at the next start, where it was not too much. */
export type NoteLog<Note> = {
  /** No note need be made where the whole book is to be saved. */
  readonly add: (note: Note) => void;
  /** The book was changed otherwise: it is to be saved as a whole. */
  readonly rewrite: () => void;
  /** Whether the whole book is to be saved. */
  readonly isOver: () => boolean;
  /** @returns the notes; undefined when the whole book is to be saved in their place */
  readonly take: () => readonly Note[] | undefined;
};

/** @param most notes; beyond it the whole book is hardly longer */
export function createNoteLog<Note>(most: number): NoteLog<Note> {
  let notes: Note[] | undefined = [];
  return {
    add: (note) => {
      if (notes && notes.length >= most) notes = undefined;
      notes?.push(note);
    },
    rewrite: () => {
      notes = undefined;
    },
    isOver: () => notes === undefined,
    take: () => {
      const taken = notes;
      notes = [];
      return taken;
    },
  };
}
