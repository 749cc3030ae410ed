/* Chess: positions reachable in a number of moves, with castling, en passant and promotion, against published counts. */
#include <ctype.h>

#include "common.h"

/* A board of 16 x 8: what is off the board has a bit of 0x88. Pieces are white if even, black if odd. */
enum { WHITE, BLACK, PAWN = 2, KNIGHT = 4, BISHOP = 6, ROOK = 8, QUEEN = 10, KING = 12 };

static const char LETTERS[] = "  PpNnBbRrQqKk";

static struct {
  signed char square[128];
  int side, en_passant, king[2];
  unsigned castling;
} board;

struct move {
  unsigned char from, to, promotion, flags;
};

enum { CAPTURE = 1, PASSING = 2, CASTLE = 4, DOUBLE = 8 };

static const signed char KNIGHT_STEPS[] = {33, 31, 18, 14, -14, -18, -31, -33, 0};
static const signed char KING_STEPS[] = {1, -1, 16, -16, 17, 15, -15, -17, 0};

static int side_of(int piece) { return piece & 1; }
static int kind_of(int piece) { return piece & ~1; }
static bool is_off(int square) { return square & 0x88; }

static void set_up(const char *fen) {
  memset(&board, 0, sizeof board);
  int square = 0x70;
  for (; *fen != ' '; fen++) {
    if (*fen == '/') {
      square = (square & 0x70) - 16;
    } else if (isdigit((unsigned char)*fen)) {
      square += *fen - '0';
    } else {
      int piece = (int)(strchr(LETTERS, *fen) - LETTERS);
      board.square[square] = (signed char)piece;
      if (kind_of(piece) == KING) board.king[side_of(piece)] = square;
      square++;
    }
  }
  board.side = *++fen == 'w' ? WHITE : BLACK;
  for (fen += 2; *fen != ' '; fen++) {
    const char *right = strchr("KQkq", *fen);
    if (right) board.castling |= 1u << (right - "KQkq");
  }
  board.en_passant = *++fen == '-' ? -1 : fen[0] - 'a' + 16 * (fen[1] - '1');
}

static bool attacked(int square, int by) {
  for (const signed char *step = KNIGHT_STEPS; *step; step++)
    if (!is_off(square + *step) && board.square[square + *step] == KNIGHT + by) return true;
  int back = by == WHITE ? -16 : 16;
  for (int side = -1; side <= 1; side += 2)
    if (!is_off(square + back + side) && board.square[square + back + side] == PAWN + by) return true;
  for (int i = 0; i < 8; i++) {
    int step = KING_STEPS[i], at = square + step;
    if (is_off(at)) continue;
    if (board.square[at] == KING + by) return true;
    while (!is_off(at) && !board.square[at]) at += step;
    if (is_off(at)) continue;
    int piece = board.square[at];
    if (piece == QUEEN + by || piece == (i < 4 ? ROOK : BISHOP) + by) return true;
  }
  return false;
}

static struct move *add(struct move *moves, int from, int to, unsigned flags) {
  *moves = (struct move){(unsigned char)from, (unsigned char)to, 0, (unsigned char)flags};
  return moves + 1;
}

static struct move *add_pawn(struct move *moves, int from, int to, unsigned flags) {
  if (to >= 0x70 || to < 0x08) {
    for (int piece = QUEEN; piece >= KNIGHT; piece -= 2) {
      moves = add(moves, from, to, flags);
      moves[-1].promotion = (unsigned char)(piece + board.side);
    }
    return moves;
  }
  return add(moves, from, to, flags);
}

/* Without regard to check. */
static struct move *generate(struct move *moves) {
  int side = board.side, forward = side == WHITE ? 16 : -16;
  for (int from = 0; from < 128; from = (from + 9) & ~8) {
    int piece = board.square[from];
    if (!piece || side_of(piece) != side) continue;
    switch (kind_of(piece)) {
      case PAWN: {
        int to = from + forward;
        if (!board.square[to]) {
          moves = add_pawn(moves, from, to, 0);
          if (from >> 4 == (side == WHITE ? 1 : 6) && !board.square[to + forward]) moves = add(moves, from, to + forward, DOUBLE);
        }
        for (to = from + forward - 1; to <= from + forward + 1; to += 2) {
          if (is_off(to)) continue;
          if (board.square[to] && side_of(board.square[to]) != side) moves = add_pawn(moves, from, to, CAPTURE);
          if (to == board.en_passant) moves = add(moves, from, to, CAPTURE | PASSING);
        }
        break;
      }
      case KNIGHT:
      case KING:
        for (const signed char *step = kind_of(piece) == KING ? KING_STEPS : KNIGHT_STEPS; *step; step++) {
          int to = from + *step;
          if (is_off(to)) continue;
          if (!board.square[to]) {
            moves = add(moves, from, to, 0);
          } else if (side_of(board.square[to]) != side) {
            moves = add(moves, from, to, CAPTURE);
          }
        }
        break;
      default: {
        int first = kind_of(piece) == BISHOP ? 4 : 0, last = kind_of(piece) == ROOK ? 4 : 8;
        for (int i = first; i < last; i++) {
          int to = from + KING_STEPS[i];
          for (; !is_off(to) && !board.square[to]; to += KING_STEPS[i]) moves = add(moves, from, to, 0);
          if (!is_off(to) && side_of(board.square[to]) != side) moves = add(moves, from, to, CAPTURE);
        }
      }
    }
  }
  unsigned rights = board.castling >> (2 * side) & 3;
  if (rights && !attacked(board.king[side], !side)) {
    int king = board.king[side];
    const signed char *s = board.square + king;
    if (rights & 1 && !s[1] && !s[2] && !attacked(king + 1, !side)) moves = add(moves, king, king + 2, CASTLE);
    if (rights & 2 && !s[-1] && !s[-2] && !s[-3] && !attacked(king - 1, !side)) moves = add(moves, king, king - 2, CASTLE);
  }
  return moves;
}

/* Rights that end when something leaves or takes this square. */
static unsigned rights_of(int square) {
  switch (square) {
    case 0x04: return 3;
    case 0x07: return 1;
    case 0x00: return 2;
    case 0x74: return 12;
    case 0x77: return 4;
    case 0x70: return 8;
    default: return 0;
  }
}

static struct tally {
  unsigned nodes, captures, castles, promotions, checks;
} tally;

static unsigned count(int depth) {
  struct move moves[128];
  unsigned all = 0;
  int side = board.side, en_passant = board.en_passant;
  unsigned castling = board.castling;
  const struct move *end = generate(moves);
  for (const struct move *m = moves; m < end; m++) {
    signed char *from = &board.square[m->from], *to = &board.square[m->to], moved = *from;
    signed char *taken = m->flags & PASSING ? to - (side == WHITE ? 16 : -16) : to, gone = *taken;
    *taken = 0;
    *from = 0;
    *to = m->promotion ? (signed char)m->promotion : moved;
    if (kind_of(moved) == KING) board.king[side] = m->to;
    if (m->flags & CASTLE) {
      bool short_side = m->to > m->from;
      to[short_side ? -1 : 1] = (signed char)(ROOK + side);
      to[short_side ? 1 : -2] = 0;
    }
    if (!attacked(board.king[side], !side)) {
      board.side = !side;
      board.en_passant = m->flags & DOUBLE ? (m->from + m->to) / 2 : -1;
      board.castling = castling & ~(rights_of(m->from) | rights_of(m->to));
      if (depth == 1) {
        all++;
        tally.captures += m->flags & CAPTURE;
        tally.castles += (m->flags & CASTLE) != 0;
        tally.promotions += m->promotion != 0;
      } else {
        all += count(depth - 1);
      }
    }
    if (m->flags & CASTLE) {
      bool short_side = m->to > m->from;
      to[short_side ? 1 : -2] = (signed char)(ROOK + side);
      to[short_side ? -1 : 1] = 0;
    }
    *to = 0;
    *taken = gone;
    *from = moved;
    board.king[side] = kind_of(moved) == KING ? m->from : board.king[side];
    board.side = side;
    board.en_passant = en_passant;
    board.castling = castling;
  }
  return all;
}

static const struct {
  const char *fen;
  int depth;
  unsigned nodes, captures, castles, promotions;
} POSITIONS[] = {
    {"rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1", 2, 400, 0, 0, 0},
    {"r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1", 2, 2039, 351, 91, 0},
    {"8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1", 2, 191, 14, 0, 0},
    {"r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1", 2, 264, 87, 6, 48},
    {"rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8", 1, 44, 0, 0, 0},
};

int main(void) {
  for (size_t i = 0; i < LENGTH(POSITIONS); i++) {
    set_up(POSITIONS[i].fen);
    tally = (struct tally){0};
    unsigned nodes = count(POSITIONS[i].depth);
    printf("%s\n  depth %d: %u positions, %u captures, %u castles, %u promotions\n", POSITIONS[i].fen, POSITIONS[i].depth, nodes,
           tally.captures, tally.castles, tally.promotions);
    fprintf(stderr, "position %u done\n", (unsigned)i + 1);
    check(nodes == POSITIONS[i].nodes, "positions");
    if (i < 4) {
      check(tally.captures == POSITIONS[i].captures, "captures");
      check(tally.castles == POSITIONS[i].castles, "castles");
      check(tally.promotions == POSITIONS[i].promotions, "promotions");
    }
  }
  return verdict();
}
