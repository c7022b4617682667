// What the Airflow UI shares with its plugins as globals. React itself is the global `React`, which the types know already.
// The page brings no copy of these libraries, so it always has the host's theme, router and contexts.

type Piece = React.ComponentType<any>;
type Pieces = Record<string, Piece>;

interface Chakra {
  [name: string]: unknown;
  Alert: Pieces;
  Badge: Piece;
  Box: Piece;
  Button: Piece;
  Checkbox: Pieces;
  Dialog: Pieces;
  Flex: Piece;
  Heading: Piece;
  Input: Piece;
  NativeSelect: Pieces;
  Popover: Pieces;
  Portal: Piece;
  SimpleGrid: Piece;
  Skeleton: Piece;
  Spinner: Piece;
  Table: Pieces;
  Text: Piece;
}

interface Router {
  Link: React.ComponentType<{ to: string; children?: React.ReactNode }>;
  useSearchParams: () => [URLSearchParams, (next: URLSearchParams, options?: { replace?: boolean }) => void];
}

const host = globalThis as unknown as { ChakraUI: Chakra; ReactRouterDOM: Router };

export const {
  Badge, Box, Button, Flex, Heading, Input, Portal, SimpleGrid, Skeleton, Spinner, Text,
} = host.ChakraUI;

/** The parts of one component of Chakra UI, which exist with every name that its documentation gives. */
function parts<Name extends string>(of: Pieces, ...names: Name[]): Record<Name, Piece> {
  return Object.fromEntries(names.map((name) => [name, of[name]])) as Record<Name, Piece>;
}

export const Alert = parts(host.ChakraUI.Alert, "Root", "Indicator", "Content", "Title", "Description");
export const Checkbox = parts(host.ChakraUI.Checkbox, "Root", "HiddenInput", "Control", "Label");
export const Dialog = parts(
  host.ChakraUI.Dialog, "Root", "Backdrop", "Positioner", "Content", "Header", "Title", "Body", "Footer",
);
export const NativeSelect = parts(host.ChakraUI.NativeSelect, "Root", "Field", "Indicator");
export const Popover = parts(host.ChakraUI.Popover, "Root", "Trigger", "Positioner", "Content", "Body");
export const Table = parts(
  host.ChakraUI.Table, "Root", "ScrollArea", "Header", "Body", "Row", "ColumnHeader", "Cell", "Caption",
);
export const { Link, useSearchParams } = host.ReactRouterDOM;
