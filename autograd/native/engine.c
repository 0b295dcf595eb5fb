/* The accelerator: the nodes of eager.py, and the sweep of sweep.py, in C.
 *
 * A node is one object of 80 bytes (see Node). Interior nodes are made by operations,
 * freed by their reference counts and unknown to the garbage collector; a Value that a
 * program makes itself is an ordinary object, which the collector follows.
 *
 * Whatever is rare is left to Python: numbers that are neither Values, floats nor ints,
 * rows without C (boxed nodes), modes, errors. The functions for these are handed over
 * by accelerated.py, which says what each of them does.
 *
 * All state is guarded by the global interpreter lock. Calls of Python happen only where
 * every node in use is owned: other threads may change any node in the meantime.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <structmember.h>
#include <string.h>

#include "evaluate.h"
#include "rows.h"

/* -- Codes of rows ----------------------------------------------------------------- */

#define ROW(name, chooses) ROW_##name,
enum {
    UNARY_ROWS(ROW) FIRST_BINARY,
    BEFORE_BINARY = FIRST_BINARY - 1,
    BINARY_ROWS(ROW) FIRST_OF_MANY,
    BEFORE_MANY = FIRST_OF_MANY - 1,
    MANY_ROWS(ROW) ROWS
};
#undef ROW
#define ROW(name, chooses) #name,
static const char *const row_names[] = {UNARY_ROWS(ROW) BINARY_ROWS(ROW) MANY_ROWS(ROW)};
#undef ROW

/* -- What a node holds ------------------------------------------------------------- */

typedef struct { /* a group of operands of a row of many, shared by nodes */
    Py_ssize_t owners, size;
    PyObject **operands; /* each a node, or NULL for a plain number; or NULL for none */
    PyObject *operand_tuple, *number_tuple; /* as Python sees them, once it has asked */
    uint64_t visited;                       /* the walk that has finished all of them */
    int of_layer;                           /* the inputs of a layer, not of a single dot */
    double numbers[];
} Group;

typedef struct { /* a node of a row without C, or one with attributes, as eager.py has it */
    PyObject *primitive, *operands, *numbers;
    PyObject *dict;
    PyObject **flat; /* the operands that are nodes, borrowed from the tuples */
    Py_ssize_t size;
} Box;

enum { LEAF, PLAIN, MANY, BOXED }; /* kinds of nodes */
enum { KIND = 3, OTHER_GRAD = 4 }; /* flags: the kind; grad is an object, no double */

typedef struct {
    PyObject_HEAD
    union {
        double number;
        struct Node *next; /* in the lists of nodes that are not alive */
    };
    union {
        double grad;
        PyObject *other_grad; /* what a program assigned, if no float; NULL: deleted */
    };
    union {
        struct {                /* PLAIN */
            PyObject *operands[2]; /* owned; NULL for a plain number, or none */
            double x, y;           /* the numbers that they held */
        };
        Group *groups[2]; /* MANY: the second may be NULL */
        Box *box;         /* BOXED */
        PyObject *dict;   /* LEAF: attributes, or NULL */
    };
    PyObject *weak;
    uint64_t state; /* number of the last walk, code of the row, flags: 48, 8, 8 bits */
} Node;

#define kind_of(node) ((node)->state & KIND)
#define row_of(node) ((int)((node)->state >> 8 & 255))
#define walk_of(node) ((node)->state >> 16)
#define set_kind(node, row, kind) \
    ((node)->state = ((node)->state & ~(uint64_t)(0xFF00 | KIND)) | (uint64_t)(row) << 8 | (kind))
#define set_walk(node, walk) ((node)->state = ((node)->state & 0xFFFF) | (walk) << 16)

/* -- What Python hands over -------------------------------------------------------- */

static PyTypeObject *Base, *Leaf, *Interior, *Noted; /* Noted: interior, has attributes */
static PyObject *primitives[ROWS];                   /* the rows, by code */
static PyObject *codes;                              /* {row: code} */
static PyObject *name_data, *name_grad;

#define HELPERS(HELPER) \
    HELPER(CONSTANT) HELPER(active) HELPER(finish) HELPER(other_float) HELPER(comparable) \
    HELPER(equal) HELPER(initialise) HELPER(set_data) HELPER(apply) HELPER(push) \
    HELPER(cycle) HELPER(added) HELPER(inspector) HELPER(refuse_unrecorded)
#define HELPER(name) static PyObject *name;
HELPERS(HELPER)
#undef HELPER

static inline int is_node(PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    return type == Interior || type == Leaf || type == Noted || PyObject_TypeCheck(o, Base);
}

/* -- Groups and boxes -------------------------------------------------------------- */

static void group_release(Group *group)
{
    if (group == NULL || --group->owners)
        return;
    if (group->operands)
        for (Py_ssize_t i = 0; i < group->size; i++)
            Py_XDECREF(group->operands[i]);
    Py_XDECREF(group->operand_tuple);
    Py_XDECREF(group->number_tuple);
    PyMem_Free(group);
}

static inline int group_add(Group *group, PyObject *item)
{
    Py_ssize_t i = group->size;
    if (PyFloat_CheckExact(item)) {
        group->numbers[i] = PyFloat_AsDouble(item);
        if (group->operands)
            group->operands[i] = NULL;
    } else if (is_node(item)) {
        group->operands[i] = Py_NewRef(item);
        group->numbers[i] = ((Node *)item)->number;
    } else
        return -1;
    group->size++;
    return 0;
}

/* A group of the items of a list or tuple, after the first where that is not NULL. NULL
 * unless all are nodes and floats (of exactly that type), without an error then.
 */
static Group *group_new(PyObject *items, PyObject *first)
{
    int listed = PyList_CheckExact(items);
    if (!listed && !PyTuple_CheckExact(items))
        return NULL;
    Py_ssize_t count = listed ? PyList_Size(items) : PyTuple_Size(items);
    size_t room = (size_t)count + 1;
    Group *group = PyMem_Malloc(sizeof(Group) + room * (sizeof(double) + sizeof(PyObject *)));
    if (group == NULL)
        return (Group *)PyErr_NoMemory();
    memset(group, 0, sizeof(Group));
    group->owners = 1;
    PyObject **operands = group->operands = (PyObject **)(group->numbers + room);
    int failed = first && group_add(group, first) < 0, plain = 1;
    for (Py_ssize_t i = 0; !failed && i < count; i++)
        failed = group_add(group, listed ? PyList_GetItem(items, i) : PyTuple_GetItem(items, i));
    if (failed) {
        group_release(group);
        return NULL;
    }
    for (Py_ssize_t i = 0; plain && i < group->size; i++)
        plain = operands[i] == NULL;
    if (plain)
        group->operands = NULL;
    return group;
}

static PyObject *group_operands(Group *group)
{
    if (group->operands == NULL && group->of_layer)
        return Py_NewRef(CONSTANT);
    if (group->operand_tuple == NULL) {
        PyObject *tuple = PyTuple_New(group->size);
        for (Py_ssize_t i = 0; tuple && i < group->size; i++) {
            PyObject *operand = group->operands ? group->operands[i] : NULL;
            PyTuple_SetItem(tuple, i, Py_NewRef(operand ? operand : CONSTANT));
        }
        group->operand_tuple = tuple;
    }
    return Py_XNewRef(group->operand_tuple);
}

static PyObject *group_numbers(Group *group)
{
    if (group->number_tuple == NULL) {
        PyObject *tuple = PyTuple_New(group->size);
        for (Py_ssize_t i = 0; tuple && i < group->size; i++) {
            PyObject *number = PyFloat_FromDouble(group->numbers[i]);
            if (number == NULL)
                Py_CLEAR(tuple);
            else
                PyTuple_SetItem(tuple, i, number);
        }
        group->number_tuple = tuple;
    }
    return Py_XNewRef(group->number_tuple);
}

static void box_release(Box *box)
{
    Py_XDECREF(box->primitive);
    Py_XDECREF(box->operands);
    Py_XDECREF(box->numbers);
    Py_XDECREF(box->dict);
    PyMem_Free(box->flat);
    PyMem_Free(box);
}

/* Makes the node a leaf without attributes, and gives up what it held. */
static inline void release_contents(Node *node)
{
    Node old = *node;
    memset(node->operands, 0, sizeof(node->operands));
    set_kind(node, 0, LEAF);
    switch (old.state & KIND) {
    case LEAF:
        Py_XDECREF(old.dict);
        break;
    case PLAIN:
        Py_XDECREF(old.operands[0]);
        Py_XDECREF(old.operands[1]);
        break;
    case MANY:
        group_release(old.groups[0]);
        group_release(old.groups[1]);
        break;
    case BOXED:
        box_release(old.box);
    }
}

static void release_grad(Node *node)
{
    if (node->state & OTHER_GRAD) {
        PyObject *old = node->other_grad;
        node->state &= ~(uint64_t)OTHER_GRAD;
        node->grad = 0.0;
        Py_XDECREF(old);
    }
}

/* -- Birth and death --------------------------------------------------------------- */

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define PREFETCH(address) ((void)(address))
#endif

/* Dead interior nodes, kept for the next ones until the collector makes a full round (see
 * `trim`), as those of CPython's own free lists are. Sanitizers want none.
 */
#ifndef MOST_KEPT
#define MOST_KEPT (1 << 20)
#endif
static Node *kept;
static int kept_count;
static Node *dying; /* to be released by the call that is under way: no recursion */
static int releasing;

static void free_kept(void)
{
    while (kept) {
        Node *node = kept;
        kept = (Node *)node->next;
        kept_count--;
        PyObject_Free(node);
        Py_DECREF((PyObject *)Interior);
    }
}

static inline Node *interior_new(double number)
{
    Node *node = kept;
    if (node) { /* it has kept its type */
        kept = (Node *)node->next;
        kept_count--;
        PREFETCH(kept);
        Py_SET_REFCNT((PyObject *)node, 1);
    } else if ((node = PyObject_Malloc(sizeof(Node))) == NULL)
        return (Node *)PyErr_NoMemory();
    else
        PyObject_Init((PyObject *)node, Interior);
    node->number = number;
    node->grad = 0.0;
    node->weak = NULL;
    node->state = 0;
    return node;
}

static void interior_dealloc(PyObject *self)
{
    Node *node = (Node *)self;
    if (node->weak)
        PyObject_ClearWeakRefs(self);
    node->next = (struct Node *)dying;
    dying = node;
    if (releasing)
        return;
    releasing = 1;
    while ((node = dying)) {
        dying = (Node *)node->next;
        PyTypeObject *type = Py_TYPE((PyObject *)node);
        release_grad(node);
        release_contents(node);
        if (type == Interior && kept_count < MOST_KEPT) {
            node->next = (struct Node *)kept;
            kept = node;
            kept_count++;
        } else {
            PyObject_Free(node);
            Py_DECREF((PyObject *)type);
        }
    }
    releasing = 0;
}

static void node_dealloc(PyObject *self)
{
    Node *node = (Node *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (node->weak)
        PyObject_ClearWeakRefs(self);
    release_grad(node);
    release_contents(node);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF((PyObject *)type);
}

static int node_traverse(PyObject *self, visitproc visit, void *arg)
{
    Node *node = (Node *)self;
    Py_VISIT((PyObject *)Py_TYPE(self));
    if (node->state & OTHER_GRAD)
        Py_VISIT(node->other_grad);
    switch (kind_of(node)) {
    case LEAF:
        Py_VISIT(node->dict);
        break;
    case PLAIN:
        Py_VISIT(node->operands[0]);
        Py_VISIT(node->operands[1]);
        break;
    case BOXED:
        Py_VISIT(node->box->primitive);
        Py_VISIT(node->box->operands);
        Py_VISIT(node->box->numbers);
        Py_VISIT(node->box->dict);
    }
    return 0;
}

static int node_clear(PyObject *self)
{
    release_grad((Node *)self);
    release_contents((Node *)self);
    return 0;
}

static int untraversed(PyObject *self, visitproc visit, void *arg)
{
    (void)self, (void)visit, (void)arg;
    return 0;
}

/* -- Operands and their numbers, as Python sees them ------------------------------- */

static PyObject *get_primitive(PyObject *self, void *closure)
{
    (void)closure;
    Node *node = (Node *)self;
    switch (kind_of(node)) {
    case LEAF:
        Py_RETURN_NONE;
    case BOXED:
        return Py_NewRef(node->box->primitive);
    default:
        return Py_NewRef(primitives[row_of(node)]);
    }
}

static PyObject *one_or_two(int two, PyObject *first, PyObject *second)
{
    PyObject *tuple = first && (second || !two) ? PyTuple_New(1 + two) : NULL;
    if (tuple == NULL) {
        Py_XDECREF(first);
        Py_XDECREF(second);
        return NULL;
    }
    PyTuple_SetItem(tuple, 0, first);
    if (two)
        PyTuple_SetItem(tuple, 1, second);
    return tuple;
}

static PyObject *operand_or_constant(PyObject *operand)
{
    return Py_NewRef(operand ? operand : CONSTANT);
}

static PyObject *get_operands(PyObject *self, void *closure)
{
    (void)closure;
    Node *node = (Node *)self;
    int two = row_of(node) >= FIRST_BINARY;
    switch (kind_of(node)) {
    case LEAF:
        return PyTuple_New(0);
    case BOXED:
        return Py_NewRef(node->box->operands);
    case PLAIN:
        return one_or_two(two, operand_or_constant(node->operands[0]),
                          two ? operand_or_constant(node->operands[1]) : NULL);
    default:
        two = node->groups[1] != NULL;
        return one_or_two(two, group_operands(node->groups[0]),
                          two ? group_operands(node->groups[1]) : NULL);
    }
}

static PyObject *get_numbers(PyObject *self, void *closure)
{
    (void)closure;
    Node *node = (Node *)self;
    int two = row_of(node) >= FIRST_BINARY;
    switch (kind_of(node)) {
    case LEAF:
        return PyTuple_New(0);
    case BOXED:
        return Py_NewRef(node->box->numbers);
    case PLAIN:
        return one_or_two(two, PyFloat_FromDouble(node->x),
                          two ? PyFloat_FromDouble(node->y) : NULL);
    default:
        two = node->groups[1] != NULL;
        return one_or_two(two, group_numbers(node->groups[0]),
                          two ? group_numbers(node->groups[1]) : NULL);
    }
}

/* Turns the node into a box of the same contents; -1 with an error. */
static int box_up(Node *node)
{
    if (kind_of(node) == BOXED)
        return 0;
    Box *box = PyMem_Calloc(1, sizeof(Box));
    if (box == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    box->primitive = get_primitive((PyObject *)node, NULL);
    box->operands = get_operands((PyObject *)node, NULL);
    box->numbers = get_numbers((PyObject *)node, NULL);
    if (kind_of(node) == LEAF)
        box->dict = Py_XNewRef(node->dict);
    if (!box->operands || !box->numbers) {
        box_release(box);
        return -1;
    }
    release_contents(node);
    node->box = box;
    set_kind(node, 0, BOXED);
    return 0;
}

/* A box that holds a leaf, or a row of one or two operands, needs none. */
static void settle(Node *node)
{
    Box *box = node->box;
    if (box->primitive == Py_None && PyTuple_CheckExact(box->operands) &&
        PyTuple_Size(box->operands) == 0) {
        PyObject *dict = Py_XNewRef(box->dict);
        release_contents(node);
        node->dict = dict;
        return;
    }
    PyObject *code = PyDict_GetItemWithError(codes, box->primitive);
    if (code == NULL) {
        PyErr_Clear();
        return;
    }
    int row = (int)PyLong_AsLong(code), arity = row < FIRST_BINARY ? 1 : 2;
    if (box->dict || row >= FIRST_OF_MANY || !PyTuple_CheckExact(box->operands) ||
        !PyTuple_CheckExact(box->numbers) || PyTuple_Size(box->operands) != arity ||
        PyTuple_Size(box->numbers) != arity)
        return;
    PyObject *operands[2] = {NULL, NULL};
    double numbers[2] = {0.0, 0.0};
    for (int i = 0; i < arity; i++) {
        PyObject *operand = PyTuple_GetItem(box->operands, i);
        PyObject *number = PyTuple_GetItem(box->numbers, i);
        if ((operand != CONSTANT && !is_node(operand)) || !PyFloat_CheckExact(number))
            return;
        operands[i] = operand == CONSTANT ? NULL : operand;
        numbers[i] = PyFloat_AsDouble(number);
    }
    Py_XINCREF(operands[0]);
    Py_XINCREF(operands[1]);
    release_contents(node);
    memcpy(node->operands, operands, sizeof(operands));
    node->x = numbers[0];
    node->y = numbers[1];
    set_kind(node, row, PLAIN);
}

enum { PRIMITIVE, OPERANDS, NUMBERS };
static int fields[] = {PRIMITIVE, OPERANDS, NUMBERS};

/* By force, as what makes a node in Python does: its numbers come last. */
static int set_content(PyObject *self, PyObject *value, void *field)
{
    Node *node = (Node *)self;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "what a node holds cannot be deleted");
        return -1;
    }
    if (box_up(node) < 0)
        return -1;
    Box *box = node->box;
    int which = *(int *)field;
    PyObject **place = which == PRIMITIVE  ? &box->primitive
                       : which == OPERANDS ? &box->operands
                                           : &box->numbers;
    PyObject *old = *place;
    *place = Py_NewRef(value);
    if (which == OPERANDS) {
        PyMem_Free(box->flat);
        box->flat = NULL;
    }
    if (which == NUMBERS)
        settle(node);
    Py_DECREF(old);
    return 0;
}

/* The operands of a box that are nodes, in their order; -1 with an error. */
static int flatten(Box *box)
{
    if (box->flat || !PyTuple_CheckExact(box->operands))
        return 0; /* UNRECORDED has none */
    Py_ssize_t outer = PyTuple_Size(box->operands), count = 0;
    for (int pass = 0; pass < 2; pass++) {
        if (pass) {
            box->flat = PyMem_Calloc((size_t)count + 1, sizeof(PyObject *));
            if (box->flat == NULL) {
                PyErr_NoMemory();
                return -1;
            }
        }
        count = 0;
        for (Py_ssize_t i = 0; i < outer; i++) {
            PyObject *group = PyTuple_GetItem(box->operands, i);
            int nested = PyTuple_CheckExact(group);
            Py_ssize_t size = nested ? PyTuple_Size(group) : 1;
            for (Py_ssize_t k = 0; k < size; k++) {
                PyObject *operand = nested ? PyTuple_GetItem(group, k) : group;
                if (!is_node(operand))
                    continue;
                if (pass)
                    box->flat[count] = operand;
                count++;
            }
        }
    }
    box->size = count;
    return 0;
}

static inline int is_leaf(Node *node)
{
    return kind_of(node) == LEAF || (kind_of(node) == BOXED && node->box->primitive == Py_None);
}

/* -- Numbers, gradients, attributes ------------------------------------------------ */

static PyObject *get_number(PyObject *self, void *closure)
{
    (void)closure;
    return PyFloat_FromDouble(((Node *)self)->number);
}

static int set_number(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    double number = value ? PyFloat_AsDouble(value) : -1.0;
    if (value == NULL)
        PyErr_SetString(PyExc_AttributeError, "a node's number cannot be deleted");
    if (PyErr_Occurred())
        return -1;
    ((Node *)self)->number = number;
    return 0;
}

static int set_data_of(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    Node *node = (Node *)self;
    if (value == NULL) {
        PyErr_Format(PyExc_AttributeError, "property 'data' of %R object has no deleter",
                     Py_TYPE(self));
        return -1;
    }
    if (PyFloat_CheckExact(value) && kind_of(node) == LEAF) {
        node->number = PyFloat_AsDouble(value);
        return 0;
    }
    PyObject *done = PyObject_CallFunctionObjArgs(set_data, self, value, NULL);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static PyObject *get_grad(PyObject *self, void *closure)
{
    (void)closure;
    Node *node = (Node *)self;
    if (!(node->state & OTHER_GRAD))
        return PyFloat_FromDouble(node->grad);
    if (node->other_grad == NULL)
        PyErr_SetString(PyExc_AttributeError, "'Value' object has no attribute 'grad'");
    return Py_XNewRef(node->other_grad);
}

static int set_grad(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    Node *node = (Node *)self;
    if (value && PyFloat_CheckExact(value)) {
        double grad = PyFloat_AsDouble(value);
        if (node->state & OTHER_GRAD)
            release_grad(node);
        node->grad = grad;
        return 0;
    }
    if (value == NULL && node->state & OTHER_GRAD && node->other_grad == NULL) {
        PyErr_SetString(PyExc_AttributeError, "'Value' object has no attribute 'grad'");
        return -1;
    }
    PyObject *given = Py_XNewRef(value);
    release_grad(node);
    node->other_grad = given;
    node->state |= OTHER_GRAD;
    return 0;
}

/* The place of the dict of attributes; NULL where a node must be boxed first. */
static PyObject **place_of_dict(Node *node)
{
    return kind_of(node) == LEAF ? &node->dict : kind_of(node) == BOXED ? &node->box->dict : NULL;
}

/* The dict of attributes, made on demand; borrowed, or NULL with an error. */
static PyObject *dict_of(Node *node)
{
    if (place_of_dict(node) == NULL && box_up(node) < 0)
        return NULL;
    PyObject **place = place_of_dict(node);
    if (*place == NULL) {
        *place = PyDict_New();
        if (*place && Py_TYPE((PyObject *)node) == Interior) {
            Py_SET_TYPE((PyObject *)node, Noted);
            Py_INCREF((PyObject *)Noted);
            Py_DECREF((PyObject *)Interior);
        }
    }
    return *place;
}

static PyObject *get_dict(PyObject *self, void *closure)
{
    (void)closure;
    return Py_XNewRef(dict_of((Node *)self));
}

static int set_dict(PyObject *self, PyObject *value, void *closure)
{
    (void)closure;
    if (value == NULL || !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "__dict__ must be set to a dictionary");
        return -1;
    }
    if (dict_of((Node *)self) == NULL)
        return -1;
    PyObject **place = place_of_dict((Node *)self), *old = *place;
    *place = Py_NewRef(value);
    Py_DECREF(old);
    return 0;
}

/* The attributes that the node has, or None: for who only wants to look. */
static PyObject *get_attributes(PyObject *self, void *closure)
{
    (void)closure;
    PyObject **place = place_of_dict((Node *)self);
    if (Py_TYPE(self) != Leaf && Py_TYPE(self) != Interior && Py_TYPE(self) != Noted)
        return PyObject_GetAttrString(self, "__dict__");
    return Py_NewRef(place && *place ? *place : Py_None);
}

static int is_pythons(PyObject *name) /* one of Python's own names, __like_this__ */
{
    return PyUnicode_Check(name) && PyUnicode_GetLength(name) > 2 &&
           PyUnicode_ReadChar(name, 0) == '_' && PyUnicode_ReadChar(name, 1) == '_';
}

static PyObject *get_is_leaf(PyObject *self, void *closure)
{
    (void)closure;
    return PyBool_FromLong(kind_of((Node *)self) == LEAF);
}

/* Whether the class has a data descriptor of this name. */
static int is_descriptor(PyObject *self, PyObject *name)
{
    PyObject *found = PyObject_GetAttr((PyObject *)Py_TYPE(self), name);
    if (found == NULL) {
        PyErr_Clear();
        return 0;
    }
    int known = PyType_GetSlot(Py_TYPE(found), Py_tp_descr_set) != NULL;
    Py_DECREF(found);
    return known;
}

static PyObject *node_getattr(PyObject *self, PyObject *name)
{
    Node *node = (Node *)self;
    if (Py_TYPE(self) == Leaf) {
        if (name == name_data)
            return PyFloat_FromDouble(node->number);
        if (name == name_grad)
            return get_grad(self, NULL);
    }
    PyObject **place = place_of_dict(node);
    if (place && *place) {
        PyObject *found = Py_XNewRef(PyDict_GetItemWithError(*place, name));
        if (found && !is_pythons(name) && !is_descriptor(self, name))
            return found;
        PyObject *other = PyErr_Occurred() ? NULL : PyObject_GenericGetAttr(self, name);
        if (other || !found || !PyErr_ExceptionMatches(PyExc_AttributeError)) {
            Py_XDECREF(found);
            return other;
        }
        PyErr_Clear();
        return found;
    }
    return PyObject_GenericGetAttr(self, name);
}

static int node_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(self);
    if (type == Leaf) {
        if (name == name_data)
            return set_data_of(self, value, NULL);
        if (name == name_grad)
            return set_grad(self, value, NULL);
    }
    if (is_descriptor(self, name))
        return PyObject_GenericSetAttr(self, name, value);
    if (is_pythons(name) || (type != Leaf && type != Interior && type != Noted)) {
        /* what all objects have, or those of a class of a program's own */
        if (PyObject_GenericSetAttr(self, name, value) == 0)
            return 0;
        if (value == NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
            return -1;
        PyErr_Clear();
    }
    PyObject *dict = dict_of((Node *)self);
    if (dict == NULL)
        return -1;
    if (value)
        return PyDict_SetItem(dict, name, value);
    if (PyDict_DelItem(dict, name) == 0)
        return 0;
    if (PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Format(PyExc_AttributeError, "'Value' object has no attribute %R", name);
    return -1;
}

/* -- Operations -------------------------------------------------------------------- */

/* A new node is shown to the modes that are on. */
static inline PyObject *finished(Node *node)
{
    if (node == NULL || PyDict_Size(active) == 0)
        return (PyObject *)node;
    PyObject *shown = PyObject_CallFunctionObjArgs(finish, (PyObject *)node, NULL);
    Py_DECREF((PyObject *)node);
    return shown;
}

static int converted_operand(PyObject *o, PyObject **node, double *number);

/* What stands beside a node: 1 for a number or node, 0 for NotImplemented, -1: error. */
static inline int operand_of(PyObject *o, PyObject **node, double *number)
{
    PyTypeObject *type = Py_TYPE(o);
    if (type == Interior || type == Leaf) {
        *node = o;
        *number = ((Node *)o)->number;
        return 1;
    }
    if (type == &PyFloat_Type) {
        *node = NULL;
        *number = PyFloat_AsDouble(o);
        return 1;
    }
    return converted_operand(o, node, number);
}

static int converted_operand(PyObject *o, PyObject **node, double *number)
{
    if (is_node(o)) {
        *node = o;
        *number = ((Node *)o)->number;
        return 1;
    }
    *node = NULL;
    if (PyLong_CheckExact(o)) {
        *number = PyLong_AsDouble(o);
        if (*number != -1.0 || !PyErr_Occurred())
            return 1;
        PyErr_Clear();
    }
    PyObject *converted = PyObject_CallFunctionObjArgs(other_float, o, NULL);
    if (converted == NULL)
        return -1;
    int known = converted != Py_NotImplemented;
    if (known)
        *number = PyFloat_AsDouble(converted);
    Py_DECREF(converted);
    return known;
}

static inline PyObject *unary(int row, PyObject *operand, double result)
{
    Node *node = interior_new(result);
    if (node == NULL)
        return NULL;
    node->operands[0] = Py_NewRef(operand);
    node->operands[1] = NULL;
    node->x = ((Node *)operand)->number;
    node->y = 0.0;
    set_kind(node, row, PLAIN);
    return finished(node);
}

static inline PyObject *binary(int row, PyObject *a, PyObject *b, double x, double y, double result)
{
    Node *node = interior_new(result);
    if (node == NULL)
        return NULL;
    node->operands[0] = Py_XNewRef(a);
    node->operands[1] = Py_XNewRef(b);
    node->x = x;
    node->y = y;
    set_kind(node, row, PLAIN);
    return finished(node);
}

#define ROW(name, chooses) \
    static PyObject *unary_##name(PyObject *self, PyObject *unused) \
    { \
        (void)unused; \
        return unary(ROW_##name, self, row_##name(((Node *)self)->number)); \
    }
UNARY_ROWS(ROW)
#undef ROW
#define ROW(name, chooses) unary_##name,
static PyObject *(*const unary_methods[])(PyObject *, PyObject *) = {UNARY_ROWS(ROW)};
#undef ROW
#define ROW(name, chooses) \
    static PyObject *binary_##name(PyObject *left, PyObject *right) \
    { \
        PyObject *a = NULL, *b = NULL; \
        double x = 0.0, y = 0.0; \
        int known = operand_of(left, &a, &x); \
        if (known == 1) \
            known = operand_of(right, &b, &y); \
        if (known < 1) \
            return known < 0 ? NULL : Py_NewRef(Py_NotImplemented); \
        return binary(ROW_##name, a, b, x, y, row_##name(x, y)); \
    }
BINARY_ROWS(ROW)
#undef ROW

static PyObject *ternary_power(PyObject *left, PyObject *right, PyObject *modulus)
{
    return modulus == Py_None ? binary_power(left, right) : Py_NewRef(Py_NotImplemented);
}

static PyObject *number_negative(PyObject *self) { return unary_negative(self, NULL); }
static PyObject *number_absolute(PyObject *self) { return unary_absolute(self, NULL); }

static PyObject *node_compare(PyObject *left, PyObject *right, int op)
{
    int equality = op == Py_EQ || op == Py_NE;
    double x = ((Node *)left)->number, y;
    if (is_node(right)) {
        if (equality)
            return PyBool_FromLong((left == right) == (op == Py_EQ));
        y = ((Node *)right)->number;
    } else if (PyFloat_CheckExact(right))
        y = PyFloat_AsDouble(right);
    else {
        PyObject *found = equality ? PyObject_CallFunctionObjArgs(equal, left, right, NULL)
                                   : PyObject_CallFunctionObjArgs(comparable, right, NULL);
        if (found == NULL || found == Py_NotImplemented)
            return found;
        if (equality) {
            int same = found == Py_True;
            Py_DECREF(found);
            return PyBool_FromLong(same == (op == Py_EQ));
        }
        y = PyFloat_AsDouble(found);
        Py_DECREF(found);
    }
    switch (op) {
    case Py_LT:
        return PyBool_FromLong(x < y);
    case Py_LE:
        return PyBool_FromLong(x <= y);
    case Py_GT:
        return PyBool_FromLong(x > y);
    case Py_GE:
        return PyBool_FromLong(x >= y);
    case Py_EQ:
        return PyBool_FromLong(x == y);
    default:
        return PyBool_FromLong(x != y);
    }
}

/* -- Rows of many operands --------------------------------------------------------- */

static double evaluate(int row, const Group *first, const Group *second)
{
    switch (row) {
    case ROW_dot:
        return row_dot(first->numbers, second->numbers, first->size);
    case ROW_sum:
        return row_sum(first->numbers, first->size);
#define ROW(name, chooses) \
    case ROW_##name: \
        return row_##name(first->numbers, first->size);
        TOTALLED_ROWS(ROW)
#undef ROW
    }
    return NAN;
}

static Node *many(int row, Group *first, Group *second)
{
    Node *node = interior_new(evaluate(row, first, second));
    if (node == NULL)
        return NULL;
    first->owners++;
    if (second)
        second->owners++;
    node->groups[0] = first;
    node->groups[1] = second;
    set_kind(node, row, MANY);
    return node;
}

/* A row of many operands, applied to tuples of Values and floats. */
static PyObject *apply_many(int row, PyObject *groups)
{
    Py_ssize_t count = PyTuple_Size(groups);
    Group *first = group_new(PyTuple_GetItem(groups, 0), NULL), *second = NULL;
    Node *node = NULL;
    if (first && (count == 1 || (second = group_new(PyTuple_GetItem(groups, 1), NULL))))
        node = many(row, first, second);
    group_release(first);
    group_release(second);
    if (node == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_TypeError, "operands are Values and floats");
    return finished(node);
}

/* The node for a primitive applied to Values and floats: Value.apply. */
static PyObject *node_apply(PyObject *self, PyObject *args)
{
    PyObject *primitive, *given;
    if (!PyArg_ParseTuple(args, "OO!:apply", &primitive, &PyTuple_Type, &given))
        return NULL;
    PyObject *code = PyDict_GetItemWithError(codes, primitive);
    if (code) {
        int row = (int)PyLong_AsLong(code);
        Py_ssize_t count = PyTuple_Size(given);
        if (row >= FIRST_OF_MANY && count == 1 + (row == ROW_dot)) {
            PyObject *left = PyTuple_GetItem(given, 0);
            PyObject *right = PyTuple_GetItem(given, count - 1);
            if (PyTuple_CheckExact(left) && PyTuple_CheckExact(right) &&
                PyTuple_Size(left) == PyTuple_Size(right) && PyTuple_Size(left) > 0)
                return apply_many(row, given);
        }
        if (row < FIRST_BINARY && count == 1 && is_node(PyTuple_GetItem(given, 0)))
            return unary_methods[row](PyTuple_GetItem(given, 0), NULL);
        switch (count == 2 ? row : -1) {
#define ROW(name, chooses) \
    case ROW_##name: \
        return binary_##name(PyTuple_GetItem(given, 0), PyTuple_GetItem(given, 1));
            BINARY_ROWS(ROW)
#undef ROW
        }
    }
    if (PyErr_Occurred())
        return NULL;
    return PyObject_CallFunctionObjArgs(apply, self, primitive, given, NULL);
}

/* -- A layer: many dots of the same inputs ----------------------------------------- */

typedef struct {
    PyObject_HEAD
    Py_ssize_t size;
    Group **rows;
} Layer;

static PyTypeObject *LayerType;

static int layer_traverse(PyObject *self, visitproc visit, void *arg)
{
    Layer *layer = (Layer *)self;
    Py_VISIT((PyObject *)Py_TYPE(self));
    for (Py_ssize_t i = 0; i < layer->size; i++)
        if (layer->rows[i]->owners == 1) /* else nodes, which are not known, own it too */
            for (Py_ssize_t k = 0; k < layer->rows[i]->size; k++)
                Py_VISIT(layer->rows[i]->operands[k]);
    return 0;
}

static int layer_clear(PyObject *self)
{
    Layer *layer = (Layer *)self;
    while (layer->size)
        group_release(layer->rows[--layer->size]);
    return 0;
}

static void layer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    layer_clear(self);
    PyMem_Free(((Layer *)self)->rows);
    PyObject_GC_Del(self);
    Py_DECREF((PyObject *)type);
}

/* affine_nodes(rows, biases): what makes the nodes of a layer; None unless all are Values. */
static PyObject *affine_nodes(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *rows, *biases;
    if (!PyArg_ParseTuple(args, "O!O!", &PyList_Type, &rows, &PyList_Type, &biases))
        return NULL;
    Py_ssize_t size = PyList_Size(rows);
    Layer *layer = (Layer *)PyType_GenericAlloc(LayerType, 0);
    if (layer == NULL)
        return NULL;
    layer->rows = PyMem_Calloc((size_t)size + 1, sizeof(Group *));
    int suited = size == PyList_Size(biases), failed = layer->rows == NULL;
    for (Py_ssize_t i = 0; suited && !failed && i < size; i++) {
        Group *row = group_new(PyList_GetItem(rows, i), PyList_GetItem(biases, i));
        suited = row && row->operands && row->size == (i ? layer->rows[0]->size : row->size);
        for (Py_ssize_t k = 0; suited && k < row->size; k++)
            suited = row->operands[k] != NULL;
        if (suited)
            layer->rows[layer->size++] = row;
        else
            group_release(row);
        failed = PyErr_Occurred() != NULL;
    }
    if (suited && size && !failed)
        return (PyObject *)layer;
    if (layer->rows == NULL)
        PyErr_NoMemory();
    Py_DECREF((PyObject *)layer);
    return failed ? NULL : Py_NewRef(Py_None);
}

/* The nodes for one sample, 1.0 in front of it; NULL without an error if it does not suit. */
static PyObject *layer_nodes(Layer *layer, PyObject *sample, int activation)
{
    PyObject *one = PyFloat_FromDouble(1.0);
    Group *inputs = one ? group_new(sample, one) : NULL;
    Py_XDECREF(one);
    if (inputs == NULL || layer->size == 0 || inputs->size != layer->rows[0]->size) {
        group_release(inputs);
        return NULL;
    }
    inputs->of_layer = 1;
    PyObject *results = PyList_New(layer->size);
    for (Py_ssize_t i = 0; results && i < layer->size; i++) {
        PyObject *result = finished(many(ROW_dot, layer->rows[i], inputs));
        if (result == NULL)
            Py_CLEAR(results);
        else
            PyList_SetItem(results, i, result);
    }
    group_release(inputs);
    for (Py_ssize_t i = 0; results && activation >= 0 && i < layer->size; i++) {
        PyObject *operand = PyList_GetItem(results, i);
        PyObject *result = unary_methods[activation](operand, NULL);
        if (result == NULL)
            Py_CLEAR(results);
        else
            PyList_SetItem(results, i, result);
    }
    return results;
}

static PyObject *layer_call(PyObject *self, PyObject *args, PyObject *names)
{
    PyObject *sample;
    if (names || !PyArg_ParseTuple(args, "O", &sample))
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "a sample");
    PyObject *results = layer_nodes((Layer *)self, sample, -1);
    return results || PyErr_Occurred() ? results : Py_NewRef(Py_None);
}

/* batch(samples, activation): lists of outputs, or None where a sample does not suit. */
static PyObject *layer_batch(PyObject *self, PyObject *args)
{
    PyObject *samples, *primitive;
    if (!PyArg_ParseTuple(args, "O!O:batch", &PyList_Type, &samples, &primitive))
        return NULL;
    PyObject *code = PyDict_GetItemWithError(codes, primitive);
    int activation = code ? (int)PyLong_AsLong(code) : -1;
    if (PyErr_Occurred())
        return NULL;
    if (activation >= FIRST_BINARY || (code == NULL && primitive != Py_None))
        Py_RETURN_NONE;
    Py_ssize_t size = PyList_Size(samples);
    PyObject *results = PyList_New(size);
    for (Py_ssize_t i = 0; results && i < size; i++) {
        PyObject *sample = PyList_GetItem(samples, i);
        PyObject *outputs = sample ? layer_nodes((Layer *)self, sample, activation) : NULL;
        if (outputs)
            PyList_SetItem(results, i, outputs);
        else
            Py_CLEAR(results);
    }
    return results || PyErr_Occurred() ? results : Py_NewRef(Py_None);
}

static PyMethodDef layer_methods[] = {
    {"batch", layer_batch, METH_VARARGS, "The outputs of many samples."}, {0}};

/* -- The chain rule ---------------------------------------------------------------- */

typedef struct {
    Node *node;
    Py_ssize_t next; /* the operand to visit next */
} Frame;

typedef struct {
    Node *node;
    double before;   /* the gradient it had */
    PyObject *other; /* the same, if it was no float; owned */
} Before;

typedef struct {
    Frame *stack;
    Node **order; /* interior nodes, operands first; owned */
    Before *leaves; /* owned */
    size_t depth, room, count, order_room, leaf_count, leaf_room;
    int odd; /* whether gradients of interior nodes are no floats */
} Walk;

static uint64_t walks; /* even: nodes under way in the last walk; odd: those finished */

static int grow_more(void *list, size_t *room, size_t size);

static inline int grow(void *list, size_t *room, size_t used, size_t size)
{
    return used < *room ? 0 : grow_more(list, room, size);
}

static int grow_more(void *list, size_t *room, size_t size)
{
    size_t more = *room ? *room * 2 : 64;
    void *larger = PyMem_Realloc(*(void **)list, more * size);
    if (larger == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *(void **)list = larger;
    *room = more;
    return 0;
}

static inline int walk_leaf(Walk *walk, Node *node)
{
    if (grow(&walk->leaves, &walk->leaf_room, walk->leaf_count, sizeof(Before)) < 0)
        return -1;
    if (node->state & OTHER_GRAD && node->other_grad == NULL) {
        PyErr_SetString(PyExc_AttributeError, "'Value' object has no attribute 'grad'");
        return -1;
    }
    Before *leaf = &walk->leaves[walk->leaf_count++];
    leaf->node = (Node *)Py_NewRef((PyObject *)node);
    leaf->before = node->grad;
    leaf->other = node->state & OTHER_GRAD ? node->other_grad : NULL;
    node->state &= ~(uint64_t)OTHER_GRAD;
    node->grad = 0.0;
    set_walk(node, walks + 1);
    return 0;
}

static inline int walk_open(Walk *walk, Node *node)
{
    if (grow(&walk->stack, &walk->room, walk->depth, sizeof(Frame)) < 0)
        return -1;
    if (kind_of(node) == BOXED && flatten(node->box) < 0)
        return -1;
    if (kind_of(node) == PLAIN && node->operands[1])
        PREFETCH(&((Node *)node->operands[1])->state);
    set_walk(node, walks);
    walk->stack[walk->depth++] = (Frame){node, 0};
    return 0;
}

static int refuse_cycle(Node *node)
{
    node->grad = NAN; /* as sweep.py leaves it */
    PyObject *error = PyObject_CallFunctionObjArgs(cycle, (PyObject *)node, NULL);
    if (error)
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    return -1;
}

/* The next operand to look at, or NULL when all are done. */
static inline PyObject *next_operand(Frame *frame)
{
    Node *node = frame->node;
    switch (kind_of(node)) {
    case PLAIN:
        while (frame->next < 2) {
            PyObject *operand = node->operands[frame->next++];
            if (operand)
                return operand;
        }
        return NULL;
    case MANY: {
        Py_ssize_t done = 0;
        for (int g = 0; g < 2; g++) {
            Group *group = node->groups[g];
            if (group == NULL)
                break;
            if (group->operands && group->visited != walks + 1)
                while (frame->next < done + group->size) {
                    PyObject *operand = group->operands[frame->next++ - done];
                    if (operand)
                        return operand;
                }
            done += group->size;
            if (frame->next < done)
                frame->next = done;
        }
        return NULL;
    }
    case BOXED:
        return node->box->flat && frame->next < node->box->size ? node->box->flat[frame->next++]
                                                                 : NULL;
    default:
        return NULL;
    }
}

/* The one topological order of nodes.py; -1 with an error. Nothing of Python runs before
 * it is complete and every node in it is owned.
 */
static int walk_from(Walk *walk, Node *root)
{
    walks += 2;
    if (is_leaf(root))
        return walk_leaf(walk, root);
    if (walk_open(walk, root) < 0)
        return -1;
    while (walk->depth) {
        Frame *frame = &walk->stack[walk->depth - 1];
        Node *node = (Node *)next_operand(frame);
        if (node) {
            if (walk_of(node) == walks + 1)
                continue;
            if (walk_of(node) == walks)
                return refuse_cycle(node);
            if (is_leaf(node) ? walk_leaf(walk, node) < 0 : walk_open(walk, node) < 0)
                return -1;
            continue;
        }
        node = frame->node;
        if (grow(&walk->order, &walk->order_room, walk->count, sizeof(Node *)) < 0)
            return -1;
        walk->order[walk->count++] = (Node *)Py_NewRef((PyObject *)node);
        walk->depth--;
        set_walk(node, walks + 1);
        if (kind_of(node) == MANY)
            for (int g = 0; g < 2; g++)
                if (node->groups[g])
                    node->groups[g]->visited = walks + 1;
        if (node->state & OTHER_GRAD)
            walk->odd = 1;
        else
            node->grad = 0.0;
    }
    for (size_t i = 0; walk->odd && i < walk->count; i++)
        release_grad(walk->order[i]);
    return 0;
}

static inline int add_to_grad(PyObject *operand, double part)
{
    Node *node = (Node *)operand;
    if (!(node->state & OTHER_GRAD)) {
        node->grad += part;
        return 0;
    }
    PyObject *share = PyFloat_FromDouble(part), *old = get_grad(operand, NULL);
    PyObject *sum = share && old ? PyNumber_InPlaceAdd(old, share) : NULL;
    int failed = sum == NULL || set_grad(operand, sum, NULL) < 0;
    Py_XDECREF(share);
    Py_XDECREF(old);
    Py_XDECREF(sum);
    return failed ? -1 : 0;
}

#define ADD(operand, part) \
    do { \
        if (add_to_grad(operand, part) < 0) \
            return -1; \
    } while (0)

/* Slopes with a total of all operands in them. */
#define ROW(name, chooses) \
    static int push_##name(const Group *xs, double z, double g) \
    { \
        double total = 0.0; \
        for (Py_ssize_t i = 0; i < xs->size; i++) \
            total += term_##name(xs->numbers[i], z); \
        for (Py_ssize_t i = 0; i < xs->size; i++) { \
            double slope = share_##name(xs->numbers[i], z, total); \
            if (xs->operands[i] && (!(chooses) || slope != 0.0)) \
                ADD(xs->operands[i], g * slope); \
        } \
        return 0; \
    }
TOTALLED_ROWS(ROW)
#undef ROW

static int push_many(Node *node, double g)
{
    Group *first = node->groups[0], *second = node->groups[1];
    Py_ssize_t size = first->size;
    switch (row_of(node)) {
#define ROW(name, chooses) \
    case ROW_##name: \
        return first->operands ? push_##name(first, node->number, g) : 0;
        TOTALLED_ROWS(ROW)
#undef ROW
    }
    if (first->operands)
        for (Py_ssize_t i = 0; i < size; i++)
            if (first->operands[i])
                ADD(first->operands[i], g * (second ? second->numbers[i] : 1.0));
    if (second && second->operands)
        for (Py_ssize_t i = 0; i < size; i++)
            if (second->operands[i])
                ADD(second->operands[i], g * first->numbers[i]);
    return 0;
}

/* A node hands its gradient to its operands; -1 with an error. */
static inline int push_node(Node *node)
{
    if (kind_of(node) == BOXED || node->state & OTHER_GRAD || kind_of(node) == LEAF) {
        PyObject *one = PyList_New(0), *done = NULL;
        if (one && PyList_Append(one, (PyObject *)node) == 0)
            done = PyObject_CallFunctionObjArgs(push, one, NULL);
        Py_XDECREF(one);
        Py_XDECREF(done);
        return done ? 0 : -1;
    }
    double g = node->grad;
    if (g == 0.0)
        return 0;
    if (kind_of(node) == MANY)
        return push_many(node, g);
    PyObject *a = node->operands[0], *b = node->operands[1];
    double x = node->x, y = node->y, z = node->number;
    switch (row_of(node)) {
#define ROW(name, chooses) \
    case ROW_##name: { \
        double slope = slope_##name##_0(x, y, z); \
        if (!(chooses) || slope != 0.0) \
            ADD(a, g * slope); \
        break; \
    }
        UNARY_ROWS(ROW)
#undef ROW
#define ROW(name, chooses) \
    case ROW_##name: \
        if (a) { \
            double slope = slope_##name##_0(x, y, z); \
            if (!(chooses) || slope != 0.0) \
                ADD(a, g * slope); \
        } \
        if (b) { \
            double slope = slope_##name##_1(x, y, z); \
            if (!(chooses) || slope != 0.0) \
                ADD(b, g * slope); \
        } \
        break;
        BINARY_ROWS(ROW)
#undef ROW
    }
    return 0;
}

static PyObject *order_list(Walk *walk)
{
    PyObject *list = PyList_New((Py_ssize_t)walk->count);
    for (size_t i = 0; list && i < walk->count; i++)
        PyList_SetItem(list, (Py_ssize_t)i, Py_NewRef((PyObject *)walk->order[i]));
    return list;
}

static int push_all(Walk *walk, PyObject *inspect)
{
    if (inspect == Py_None) {
        while (walk->count) {
            Node *node = walk->order[walk->count - 1];
            if (walk->count > 8)
                PREFETCH(walk->order[walk->count - 8]);
            if (push_node(node) < 0)
                return -1;
            walk->count--;
            Py_DECREF((PyObject *)node);
        }
        return 0;
    }
    for (size_t i = walk->count; i--;)
        if (push_node(walk->order[i]) < 0)
            return -1;
    PyObject *order = order_list(walk), *done = NULL;
    if (order)
        done = PyObject_CallFunctionObjArgs(inspect, order, NULL);
    Py_XDECREF(order);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

/* Every leaf's gradient so far and its share, in `before`; -1 with an error. */
static int add_up(Walk *walk)
{
    for (size_t i = 0; i < walk->leaf_count; i++)
        if (walk->leaves[i].other || walk->leaves[i].node->state & OTHER_GRAD)
            return 1;
    for (size_t i = 0; i < walk->leaf_count; i++)
        walk->leaves[i].before += walk->leaves[i].node->grad;
    return 0;
}

/* The same where gradients are no floats: all sums, then all are set. */
static int add_up_others(Walk *walk)
{
    PyObject **sums = PyMem_Calloc(walk->leaf_count + 1, sizeof(PyObject *));
    int failed = sums == NULL;
    if (failed)
        PyErr_NoMemory();
    for (size_t i = 0; !failed && i < walk->leaf_count; i++) {
        Before *leaf = &walk->leaves[i];
        PyObject *old = leaf->other ? Py_NewRef(leaf->other) : PyFloat_FromDouble(leaf->before);
        PyObject *share = get_grad((PyObject *)leaf->node, NULL);
        if (old && share)
            sums[i] = PyObject_CallFunctionObjArgs(added, old, share, NULL);
        Py_XDECREF(old);
        Py_XDECREF(share);
        failed = sums[i] == NULL;
    }
    for (size_t i = 0; sums && i < walk->leaf_count; i++)
        if (sums[i]) {
            if (!failed)
                set_grad((PyObject *)walk->leaves[i].node, sums[i], NULL);
            Py_DECREF(sums[i]);
        }
    PyMem_Free(sums);
    return failed ? -1 : 0;
}

static void walk_end(Walk *walk, int failed, int others)
{
    for (size_t i = 0; i < walk->leaf_count; i++) {
        Before *leaf = &walk->leaves[i];
        if (failed && leaf->other) {
            set_grad((PyObject *)leaf->node, leaf->other, NULL);
        } else if (failed || !others) {
            release_grad(leaf->node);
            leaf->node->grad = leaf->before;
        }
    }
    for (size_t i = 0; i < walk->leaf_count; i++) {
        Py_XDECREF(walk->leaves[i].other);
        Py_DECREF((PyObject *)walk->leaves[i].node);
    }
    for (size_t i = 0; i < walk->count; i++)
        Py_DECREF((PyObject *)walk->order[i]);
    PyMem_Free(walk->stack);
    PyMem_Free(walk->order);
    PyMem_Free(walk->leaves);
}

static PyObject *node_backward(PyObject *self, PyObject *unused)
{
    (void)unused;
    Node *root = (Node *)self;
    if (is_leaf(root) && kind_of(root) == BOXED) {
        PyObject *done = PyObject_CallFunctionObjArgs(refuse_unrecorded, self, NULL);
        if (done == NULL)
            return NULL;
        Py_DECREF(done);
    }
    PyObject *inspect = PyDict_Size(active) ? PyObject_CallFunctionObjArgs(inspector, NULL)
                                            : Py_NewRef(Py_None);
    if (inspect == NULL)
        return NULL;
    Walk walk = {0};
    int others = 0, failed = walk_from(&walk, root) < 0;
    if (!failed) {
        root->grad = 1.0;
        failed = push_all(&walk, inspect) < 0;
    }
    if (!failed && (others = add_up(&walk)))
        failed = add_up_others(&walk) < 0;
    PyObject *type = NULL, *value = NULL, *trace = NULL;
    if (failed)
        PyErr_Fetch(&type, &value, &trace);
    walk_end(&walk, failed, others);
    Py_DECREF(inspect);
    if (failed)
        PyErr_Restore(type, value, trace);
    return failed ? NULL : Py_NewRef(Py_None);
}

#include "models.h"

/* -- The types --------------------------------------------------------------------- */

static int node_init(PyObject *self, PyObject *args, PyObject *names)
{
    Node *node = (Node *)self;
    if (names == NULL && PyTuple_Size(args) == 1) {
        PyObject *data = PyTuple_GetItem(args, 0);
        if (PyFloat_CheckExact(data) && kind_of(node) == LEAF) {
            node->number = PyFloat_AsDouble(data);
            release_grad(node);
            node->grad = 0.0;
            return 0;
        }
    }
    Py_ssize_t count = PyTuple_Size(args);
    PyObject *all = PyTuple_New(count + 1), *done = NULL;
    if (all == NULL)
        return -1;
    PyTuple_SetItem(all, 0, Py_NewRef(self));
    for (Py_ssize_t i = 0; i < count; i++)
        PyTuple_SetItem(all, i + 1, Py_NewRef(PyTuple_GetItem(args, i)));
    done = PyObject_Call(initialise, all, names);
    Py_DECREF(all);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static Py_hash_t node_hash(PyObject *self)
{
    return ((hashfunc)PyType_GetSlot(&PyBaseObject_Type, Py_tp_hash))(self);
}

/* Interior nodes are made by operations, and by copies without arguments. */
static int interior_init(PyObject *self, PyObject *args, PyObject *names)
{
    (void)self;
    if (PyTuple_Size(args) == 0 && (names == NULL || PyDict_Size(names) == 0))
        return 0;
    PyErr_SetString(PyExc_TypeError, "Value() takes no arguments");
    return -1;
}

#define METHOD(method, row) \
    {#method, unary_##row, METH_NOARGS, \
     "The primitive " #row ", of floats, Values, duals and arrays alike; its\n" \
     "partial derivatives stand in docs/derivatives.md."},
static PyMethodDef node_methods[] = {
    METHODS(METHOD) /* */
    {"__floor__", unary_floor, METH_NOARGS, "The largest integer not above self."},
    {"__ceil__", unary_ceil, METH_NOARGS, "The smallest integer not below self."},
    {"__trunc__", unary_trunc, METH_NOARGS, "The integer part."},
    {"apply", node_apply, METH_VARARGS, "The node for a primitive applied to Values and floats."},
    {"backward", node_backward, METH_NOARGS,
     "Add d(self)/d(leaf) to the ``.grad`` of every leaf below.\n\n"
     "Leaves accumulate over calls; interior nodes are reset by each. If anything\n"
     "interrupts the pass, the leaves' gradients are as before."},
    {0}};

static PyGetSetDef node_getset[] = {
    {"data", get_number, set_data_of, "The number held.", NULL},
    {"grad", get_grad, set_grad, "d(result)/d(self), accumulated by ``backward()``.", NULL},
    {"_number", get_number, set_number, NULL, NULL},
    {"_primitive", get_primitive, set_content, NULL, &fields[PRIMITIVE]},
    {"_operands", get_operands, set_content, NULL, &fields[OPERANDS]},
    {"_numbers", get_numbers, set_content, NULL, &fields[NUMBERS]},
    {"_is_leaf", get_is_leaf, NULL, NULL, NULL},
    {"_attributes", get_attributes, NULL, NULL, NULL},
    {"__dict__", get_dict, set_dict, NULL, NULL},
    {0}};

static PyMemberDef node_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Node, weak), READONLY, NULL}, {0}};

static PyType_Slot node_slots[] = {
    {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, node_traverse},
    {Py_tp_clear, node_clear},
    {Py_tp_init, node_init},
    {Py_tp_new, PyType_GenericNew},
    {Py_tp_getattro, node_getattr},
    {Py_tp_setattro, node_setattr},
    {Py_tp_richcompare, node_compare},
    {Py_tp_hash, node_hash},
    {Py_tp_methods, node_methods},
    {Py_tp_getset, node_getset},
    {Py_tp_members, node_members},
    {Py_nb_add, binary_add},
    {Py_nb_subtract, binary_subtract},
    {Py_nb_multiply, binary_multiply},
    {Py_nb_true_divide, binary_divide},
    {Py_nb_floor_divide, binary_floor_divide},
    {Py_nb_remainder, binary_remainder},
    {Py_nb_power, ternary_power},
    {Py_nb_negative, number_negative},
    {Py_nb_absolute, number_absolute},
    {0, NULL}};

static PyType_Spec node_spec = {
    "autograd.native._engine.Node", sizeof(Node), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, node_slots};

/* Interior nodes have no header of the collector's, though Values have one: what visits
 * them must be their own. With attributes they look these up.
 */
static PyType_Slot interior_slots[] = {
    {Py_tp_dealloc, interior_dealloc},       {Py_tp_traverse, untraversed},
    {Py_tp_init, interior_init},
    {Py_tp_getattro, PyObject_GenericGetAttr}, {Py_tp_setattro, node_setattr},
    {0, NULL}};
static PyType_Slot noted_slots[] = {
    {Py_tp_dealloc, interior_dealloc}, {Py_tp_traverse, untraversed},
    {Py_tp_init, interior_init},         {Py_tp_getattro, node_getattr},
    {Py_tp_setattro, node_setattr},    {0, NULL}};
static PyType_Spec interior_spec = {"autograd.numbers.value.Value", sizeof(Node), 0,
                                    Py_TPFLAGS_DEFAULT, interior_slots};
static PyType_Spec noted_spec = {"autograd.numbers.value.Value", sizeof(Node), 0,
                                 Py_TPFLAGS_DEFAULT, noted_slots};

static PyType_Slot layer_slots[] = {{Py_tp_dealloc, layer_dealloc},
                                     {Py_tp_traverse, layer_traverse},
                                     {Py_tp_clear, layer_clear},
                                     {Py_tp_call, layer_call},
                                     {Py_tp_methods, layer_methods},
                                     {0, NULL}};
static PyType_Spec layer_spec = {
    "autograd.native._engine.Layer", sizeof(Layer), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION, layer_slots};

/* complete(Value): the classes of interior nodes, derived from it. */
static PyObject *complete(PyObject *module, PyObject *value)
{
    (void)module;
    free_kept(); /* of the class before, where Python's modules are made anew */
    PyObject *interior = PyType_FromSpecWithBases(&interior_spec, value);
    PyObject *noted = interior ? PyType_FromSpecWithBases(&noted_spec, value) : NULL;
    if (noted == NULL || PyObject_SetAttrString(interior, "written_as", value) < 0 ||
        PyObject_SetAttrString(noted, "written_as", value) < 0) {
        Py_XDECREF(interior);
        Py_XDECREF(noted);
        return NULL;
    }
    Leaf = (PyTypeObject *)Py_NewRef(value);
    Noted = (PyTypeObject *)noted;
    Interior = (PyTypeObject *)interior;
    return Py_NewRef(interior);
}

/* trim(phase, info): gives kept nodes back, as a callback of the garbage collector. */
static PyObject *trim(PyObject *module, PyObject *args)
{
    (void)module;
    const char *phase;
    PyObject *info, *generation;
    if (!PyArg_ParseTuple(args, "sO!:trim", &phase, &PyDict_Type, &info))
        return NULL;
    generation = PyDict_GetItemString(info, "generation");
    if (phase[2] == 'o' && generation && PyLong_AsLong(generation) == 2)
        free_kept();
    Py_RETURN_NONE;
}

/* setup(rows, **helpers): what Python hands over. */
static PyObject *setup(PyObject *module, PyObject *args, PyObject *helpers)
{
    (void)module;
    PyObject *table;
    if (!PyArg_ParseTuple(args, "O!:setup", &PyDict_Type, &table))
        return NULL;
    if ((codes = PyDict_New()) == NULL)
        return NULL;
    for (int row = 0; row < ROWS; row++) {
        PyObject *primitive = PyDict_GetItemString(table, row_names[row]);
        PyObject *code = PyLong_FromLong(row);
        if (!primitive || !code || PyDict_SetItem(codes, primitive, code) < 0)
            return PyErr_Format(PyExc_ImportError, "no row %s", row_names[row]);
        primitives[row] = Py_NewRef(primitive);
        Py_DECREF(code);
    }
#define HELPER(name) \
    if ((name = Py_XNewRef(PyDict_GetItemString(helpers, #name))) == NULL) \
        return PyErr_Format(PyExc_ImportError, "no helper %s", #name);
    HELPERS(HELPER)
#undef HELPER
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"setup", (PyCFunction)(void (*)(void))setup, METH_VARARGS | METH_KEYWORDS, NULL},
    {"complete", complete, METH_O, NULL},
    {"snapshot", snapshot_of, METH_VARARGS, NULL},
    {"numbers", numbers_of, METH_O, NULL},
    {"trim", trim, METH_VARARGS, NULL},
    {"affine_nodes", affine_nodes, METH_VARARGS, NULL},
    {0}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_engine", .m_size = -1, .m_methods = functions};

PyMODINIT_FUNC PyInit__engine(void)
{
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
        PyErr_SetString(PyExc_ImportError, "it serves the main interpreter only");
        return NULL;
    }
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    name_data = PyUnicode_InternFromString("data");
    name_grad = PyUnicode_InternFromString("grad");
    Base = (PyTypeObject *)PyType_FromSpec(&node_spec);
    LayerType = (PyTypeObject *)PyType_FromSpec(&layer_spec);
    SnapshotType = (PyTypeObject *)PyType_FromSpec(&snapshot_spec);
    if (!name_data || !name_grad || !Base || !SnapshotType || !LayerType ||
        PyModule_AddObjectRef(module, "Node", (PyObject *)Base) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
