/* The tracers of compiler/trace/tracer.py, and the lists that they write, in C.
 *
 * An operator on tracers appends one instruction: a code and two indices. Numbers that
 * are baked in are looked up here; all else (numbers of other levels, rows of many
 * operands, errors) is left to the methods of Python's class, from which the type made
 * here is derived.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <structmember.h>

#include "evaluate.h"
#include "rows.h"

#define ROW(name, chooses) ROW_##name,
enum { UNARY_ROWS(ROW) BINARY_ROWS(ROW) ROWS };
#undef ROW
#define ROW(name, chooses) #name,
static const char *const row_names[] = {UNARY_ROWS(ROW) BINARY_ROWS(ROW)};
#undef ROW
#if defined(__GNUC__)
#define UNUSED __attribute__((unused)) /* rows that are no methods */
#else
#define UNUSED
#endif
static int64_t codes[ROWS];    /* of instructions, by row */
static PyObject *others[ROWS]; /* of binary rows: (forward, reflected), in Python */
static PyObject *name_index, *name_make_room;

/* -- The instructions -------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    int64_t *code, *first, *second;
    Py_ssize_t count, room, limit;
    PyObject *known; /* {number: index} of what was baked in */
} Tape;

typedef struct {
    PyObject_HEAD
    Tape *trace;
    Py_ssize_t index;
} Tracer;

static PyTypeObject *TapeType, *TracerType;

static int64_t *grown(int64_t *old, Py_ssize_t room)
{
    return PyMem_Realloc(old, (size_t)room * sizeof(int64_t));
}

/* Room for so many more instructions; -1 with an error. */
static int reserve(Tape *tape, Py_ssize_t more)
{
    if (more > tape->limit - tape->count) { /* full, or closed: this says which */
        PyObject *count = PyLong_FromSsize_t(more), *done = NULL;
        if (count)
            done = PyObject_CallMethodObjArgs((PyObject *)tape, name_make_room, count, NULL);
        Py_XDECREF(count);
        Py_XDECREF(done);
        if (done == NULL)
            return -1;
    }
    Py_ssize_t wanted = tape->count + more;
    if (wanted <= tape->room)
        return 0;
    Py_ssize_t room = wanted > 2 * tape->room ? wanted : 2 * tape->room;
    if (room < 1024)
        room = 1024;
    int64_t *code = grown(tape->code, room), *first, *second;
    if (code)
        tape->code = code;
    if ((first = grown(tape->first, room)))
        tape->first = first;
    if ((second = grown(tape->second, room)))
        tape->second = second;
    if (!code || !first || !second) {
        PyErr_NoMemory();
        return -1;
    }
    tape->room = room;
    return 0;
}

static inline Py_ssize_t append(Tape *tape, int64_t code, Py_ssize_t first, Py_ssize_t second)
{
    if ((tape->count >= tape->room || tape->count >= tape->limit) && reserve(tape, 1) < 0)
        return -1;
    Py_ssize_t index = tape->count++;
    tape->code[index] = code;
    tape->first[index] = first;
    tape->second[index] = second;
    return index;
}

static PyObject *tape_append(PyObject *self, PyObject *args)
{
    long long code, first, second;
    if (!PyArg_ParseTuple(args, "LLL:append", &code, &first, &second))
        return NULL;
    Py_ssize_t index = append((Tape *)self, code, (Py_ssize_t)first, (Py_ssize_t)second);
    return index < 0 ? NULL : PyLong_FromSsize_t(index);
}

static PyObject *tape_extend(PyObject *self, PyObject *args)
{
    Tape *tape = (Tape *)self;
    long long code;
    Py_ssize_t first, count;
    if (!PyArg_ParseTuple(args, "Lnn:extend", &code, &first, &count) || reserve(tape, count) < 0)
        return NULL;
    for (Py_ssize_t i = 0; i < count; i++)
        append(tape, code, first + i, -1);
    Py_RETURN_NONE;
}

static PyObject *tape_written(PyObject *self, PyObject *unused)
{
    (void)unused;
    Tape *tape = (Tape *)self;
    Py_ssize_t bytes = tape->count * (Py_ssize_t)sizeof(int64_t);
    return Py_BuildValue("(y#y#y#)", tape->code ? (char *)tape->code : "", bytes,
                         tape->first ? (char *)tape->first : "", bytes,
                         tape->second ? (char *)tape->second : "", bytes);
}

static PyObject *tape_new(PyTypeObject *type, PyObject *args, PyObject *names)
{
    Tape *tape = (Tape *)PyType_GenericNew(type, args, names);
    if (tape && (tape->known = PyDict_New()) == NULL)
        Py_CLEAR(tape);
    return (PyObject *)tape;
}

static int tape_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)Py_TYPE(self));
    Py_VISIT(((Tape *)self)->known);
    return 0;
}

static int tape_clear(PyObject *self)
{
    Py_CLEAR(((Tape *)self)->known);
    return 0;
}

static void tape_dealloc(PyObject *self)
{
    Tape *tape = (Tape *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    tape_clear(self);
    PyMem_Free(tape->code);
    PyMem_Free(tape->first);
    PyMem_Free(tape->second);
    ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
    Py_DECREF((PyObject *)type);
}

/* -- Tracers ----------------------------------------------------------------------- */

#ifndef MOST_KEPT
#define MOST_KEPT 4096
#endif
static Tracer *kept[MOST_KEPT]; /* dead ones, for the next */
static int kept_count;

static PyObject *tracer_new(Tape *trace, Py_ssize_t index)
{
    if (index < 0)
        return NULL;
    Tracer *tracer;
    if (kept_count) {
        tracer = kept[--kept_count];
        Py_SET_REFCNT((PyObject *)tracer, 1);
    } else if ((tracer = PyObject_Malloc(sizeof(Tracer))) == NULL)
        return PyErr_NoMemory();
    else
        PyObject_Init((PyObject *)tracer, TracerType);
    tracer->trace = (Tape *)Py_NewRef((PyObject *)trace);
    tracer->index = index;
    return (PyObject *)tracer;
}

static void tracer_dealloc(PyObject *self)
{
    Tracer *tracer = (Tracer *)self;
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF((PyObject *)tracer->trace);
    if (type == TracerType && kept_count < MOST_KEPT) {
        kept[kept_count++] = tracer;
        return;
    }
    PyObject_Free(self);
    Py_DECREF((PyObject *)type);
}

static PyObject *tracer_make(PyTypeObject *type, PyObject *args, PyObject *names)
{
    (void)type;
    PyObject *trace;
    Py_ssize_t index;
    if (names && PyDict_Size(names)) {
        PyErr_SetString(PyExc_TypeError, "Tracer(trace, index) takes no keywords");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O!n:Tracer", TapeType, &trace, &index))
        return NULL;
    return tracer_new((Tape *)trace, index);
}

static int untraversed(PyObject *self, visitproc visit, void *arg)
{
    (void)self, (void)visit, (void)arg;
    return 0;
}

static int ignore_init(PyObject *self, PyObject *args, PyObject *names)
{
    (void)self, (void)args, (void)names;
    return 0;
}

static inline int is_tracer(PyObject *o) { return Py_TYPE(o) == TracerType; }

static inline int is_plain(PyObject *o) { return PyFloat_CheckExact(o) || PyLong_CheckExact(o); }

/* The index of a float or an int that is baked in; -1 with an error. */
static Py_ssize_t baked(Tape *tape, PyObject *number)
{
    if (tape->known == NULL) { /* cleared by the collector */
        PyErr_SetString(PyExc_RuntimeError, "the trace is gone");
        return -1;
    }
    int zero = PyFloat_CheckExact(number) ? PyFloat_AsDouble(number) == 0.0
                                          : PyObject_Not(number); /* zeros have signs */
    PyObject *known = zero ? NULL : PyDict_GetItemWithError(tape->known, number);
    if (known)
        return PyLong_AsSsize_t(known);
    if (PyErr_Occurred())
        return -1;
    PyObject *found = PyObject_CallMethodObjArgs((PyObject *)tape, name_index, number, NULL);
    Py_ssize_t index = found ? PyLong_AsSsize_t(found) : -1;
    Py_XDECREF(found);
    return index;
}

static PyObject *binary(int row, PyObject *a, PyObject *b)
{
    Tape *tape;
    Py_ssize_t first, second;
    if (is_tracer(a)) {
        tape = ((Tracer *)a)->trace;
        first = ((Tracer *)a)->index;
        if (is_tracer(b) && ((Tracer *)b)->trace == tape)
            second = ((Tracer *)b)->index;
        else if (is_plain(b)) {
            if ((second = baked(tape, b)) < 0)
                return NULL;
        } else
            return PyObject_CallFunctionObjArgs(PyTuple_GetItem(others[row], 0), a, b, NULL);
    } else if (is_plain(a)) {
        tape = ((Tracer *)b)->trace;
        second = ((Tracer *)b)->index;
        if ((first = baked(tape, a)) < 0)
            return NULL;
    } else
        return PyObject_CallFunctionObjArgs(PyTuple_GetItem(others[row], 1), b, a, NULL);
    return tracer_new(tape, append(tape, codes[row], first, second));
}

static PyObject *unary(int row, PyObject *self)
{
    Tracer *tracer = (Tracer *)self;
    return tracer_new(tracer->trace, append(tracer->trace, codes[row], tracer->index, -1));
}

#define ROW(name, chooses) \
    UNUSED static PyObject *unary_##name(PyObject *self, PyObject *unused) \
    { \
        (void)unused; \
        return unary(ROW_##name, self); \
    }
UNARY_ROWS(ROW)
#undef ROW

#define OPERATORS(OPERATOR) \
    OPERATOR(add) OPERATOR(subtract) OPERATOR(multiply) OPERATOR(divide) \
    OPERATOR(floor_divide) OPERATOR(remainder)
#define OPERATOR(name) \
    static PyObject *binary_##name(PyObject *a, PyObject *b) { return binary(ROW_##name, a, b); }
OPERATORS(OPERATOR)
#undef OPERATOR

static PyObject *ternary_power(PyObject *a, PyObject *b, PyObject *modulus)
{
    if (modulus != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return binary(ROW_power, a, b);
}

static PyObject *number_negative(PyObject *self) { return unary(ROW_negative, self); }
static PyObject *number_absolute(PyObject *self) { return unary(ROW_absolute, self); }

/* -- Many at once ------------------------------------------------------------------ */

/* trace.tracers(start, count): a list of them. */
static PyObject *tape_tracers(PyObject *self, PyObject *args)
{
    Py_ssize_t start, count;
    if (!PyArg_ParseTuple(args, "nn:tracers", &start, &count))
        return NULL;
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list && i < count; i++) {
        PyObject *tracer = tracer_new((Tape *)self, start + i);
        if (tracer == NULL)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, i, tracer);
    }
    return list;
}

/* trace.indices(list): of its tracers and of floats; None if there is anything else. */
static PyObject *tape_indices(PyObject *self, PyObject *items)
{
    if (!PyList_CheckExact(items)) {
        PyErr_SetString(PyExc_TypeError, "indices takes a list");
        return NULL;
    }
    Py_ssize_t count = PyList_Size(items);
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list && i < count; i++) {
        PyObject *item = i < PyList_Size(items) ? PyList_GetItem(items, i) : Py_None;
        Py_ssize_t index;
        if (is_tracer(item) && ((Tracer *)item)->trace == (Tape *)self)
            index = ((Tracer *)item)->index;
        else if (is_plain(item)) {
            if ((index = baked((Tape *)self, item)) < 0) {
                Py_DECREF(list);
                return NULL;
            }
        } else {
            Py_DECREF(list);
            Py_RETURN_NONE;
        }
        PyObject *number = PyLong_FromSsize_t(index);
        if (number == NULL)
            Py_CLEAR(list);
        else
            PyList_SetItem(list, i, number);
    }
    return list;
}

/* Tracer.alone(list): see there. */
static PyObject *tracer_alone(PyObject *type, PyObject *items)
{
    (void)type;
    PyObject *found = NULL;
    Py_ssize_t count = PyList_CheckExact(items) ? PyList_Size(items) : 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyList_GetItem(items, i);
        if (!is_tracer(item))
            continue;
        if (found == NULL)
            found = item;
        else if (((Tracer *)item)->trace != ((Tracer *)found)->trace)
            Py_RETURN_NONE;
    }
    return Py_NewRef(found ? found : Py_None);
}

/* -- The types --------------------------------------------------------------------- */

static PyMethodDef tape_methods[] = {
    {"append", tape_append, METH_VARARGS, "One more instruction; its index."},
    {"extend", tape_extend, METH_VARARGS, "So many instructions of consecutive operands."},
    {"tracers", tape_tracers, METH_VARARGS, "Tracers of consecutive instructions."},
    {"indices", tape_indices, METH_O, "The indices of tracers and floats, or None."},
    {"written", tape_written, METH_NOARGS, "Codes, first and second operands, as bytes."},
    {0}};

static PyMemberDef tape_members[] = {
    {"count", T_PYSSIZET, offsetof(Tape, count), READONLY, "The number of instructions."},
    {"limit", T_PYSSIZET, offsetof(Tape, limit), 0, "The largest number of them."},
    {"known", T_OBJECT, offsetof(Tape, known), READONLY, "{number: index}."},
    {0}};

static PyType_Slot tape_slots[] = {
    {Py_tp_new, tape_new},           {Py_tp_dealloc, tape_dealloc},
    {Py_tp_traverse, tape_traverse}, {Py_tp_clear, tape_clear},
    {Py_tp_methods, tape_methods},   {Py_tp_members, tape_members},
    {0, NULL}};
static PyType_Spec tape_spec = {"autograd.native._tracer.Tape", sizeof(Tape), 0,
                                Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
                                tape_slots};

#define METHOD(method, row) \
    {#method, unary_##row, METH_NOARGS, "The primitive " #row " of a traced number."},
static PyMethodDef tracer_methods[] = {
    METHODS(METHOD) /* */
    {"__floor__", unary_floor, METH_NOARGS, "The largest integer not above self."},
    {"__ceil__", unary_ceil, METH_NOARGS, "The smallest integer not below self."},
    {"__trunc__", unary_trunc, METH_NOARGS, "The integer part."},
    {"alone", tracer_alone, METH_O | METH_STATIC,
     "One of these tracers and floats, if all tracers are of one trace."},
    {0}};

static PyMemberDef tracer_members[] = {
    {"trace", T_OBJECT, offsetof(Tracer, trace), READONLY, "The trace that it belongs to."},
    {"index", T_PYSSIZET, offsetof(Tracer, index), READONLY, "The index of its instruction."},
    {0}};

/* With a traverse of its own the type does not get the header of the collector's that
 * its base in Python has.
 */
static PyType_Slot tracer_slots[] = {
    {Py_tp_traverse, untraversed},
    {Py_tp_new, tracer_make},
    {Py_tp_init, ignore_init},
    {Py_tp_dealloc, tracer_dealloc},
    {Py_tp_methods, tracer_methods},
    {Py_tp_members, tracer_members},
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
static PyType_Spec tracer_spec = {"autograd.compiler.trace.tracer.Tracer", sizeof(Tracer), 0,
                                  Py_TPFLAGS_DEFAULT, tracer_slots};

/* complete(base, rows): the class of tracers, derived from a base in Python. The rows
 * are {name: (code, forward, reflected)}; the last two are what a binary row does with
 * operands that are not known here.
 */
static PyObject *complete(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *base, *rows;
    if (!PyArg_ParseTuple(args, "OO!:complete", &base, &PyDict_Type, &rows))
        return NULL;
    for (int row = 0; row < ROWS; row++) {
        PyObject *entry = PyDict_GetItemString(rows, row_names[row]);
        if (entry == NULL)
            return PyErr_Format(PyExc_ImportError, "no row %s", row_names[row]);
        codes[row] = PyLong_AsLongLong(PyTuple_GetItem(entry, 0));
        others[row] = PyTuple_GetSlice(entry, 1, 3);
        if (others[row] == NULL || PyErr_Occurred())
            return NULL;
    }
    while (kept_count) { /* of the class before, where Python's modules are made anew */
        PyTypeObject *old = Py_TYPE((PyObject *)kept[--kept_count]);
        PyObject_Free(kept[kept_count]);
        Py_DECREF((PyObject *)old);
    }
    PyObject *type = PyType_FromSpecWithBases(&tracer_spec, base);
    TracerType = (PyTypeObject *)Py_XNewRef(type);
    return type;
}

static PyMethodDef functions[] = {{"complete", complete, METH_VARARGS, NULL}, {0}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_tracer", .m_size = -1, .m_methods = functions};

PyMODINIT_FUNC PyInit__tracer(void)
{
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) != 0) {
        PyErr_SetString(PyExc_ImportError, "it serves the main interpreter only");
        return NULL;
    }
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL)
        return NULL;
    name_index = PyUnicode_InternFromString("index");
    name_make_room = PyUnicode_InternFromString("_make_room");
    TapeType = (PyTypeObject *)PyType_FromSpec(&tape_spec);
    if (!name_index || !name_make_room || !TapeType ||
        PyModule_AddObjectRef(module, "Tape", (PyObject *)TapeType) < 0) {
        Py_DECREF(module);
        return NULL;
    }
    return module;
}
