/* Models, read at once: whether a model has its parameters where it had them, and their
 * numbers. `Module` of nn says what a model is, and what is looked into: modules, lists,
 * tuples and dicts.
 *
 * A snapshot remembers the model as a sequence of parts in the order of a walk, and owns
 * none of them but plain numbers, texts and keys: a part is looked at only after its container
 * was found to hold it.
 */

enum {
    PLAIN_PART,     /* a number, a text ...: an equal one must stand here; owned */
    RESULT_PART,    /* a node that is no leaf: any */
    OPAQUE_PART,    /* this object, with nothing inside; a weak reference says so */
    PARAMETER_PART, /* this leaf */
    KNOWN_PART,     /* a leaf or container that was met before; or a key, owned */
    LIST_PART,
    TUPLE_PART,
    DICT_PART,
    MODULE_PART
};

typedef struct {
    PyObject *object;
    PyTypeObject *type;
    PyObject *kept;  /* owned: what a plain part was, or a reference to an opaque one */
    Py_ssize_t size; /* of a container */
    int kind;
} Part;

typedef struct {
    PyObject_HEAD
    Part *parts;
    Py_ssize_t count, room, parameters;
} Snapshot;

static PyTypeObject *SnapshotType;

static int is_plain(PyObject *o)
{
    return o == Py_None || PyFloat_CheckExact(o) || PyLong_CheckExact(o) ||
           PyUnicode_CheckExact(o) || PyBool_Check(o);
}

static Part *part_new(Snapshot *snapshot, PyObject *object, int kind)
{
    if (snapshot->count == snapshot->room) {
        Py_ssize_t room = snapshot->room ? 2 * snapshot->room : 64;
        Part *parts = PyMem_Realloc(snapshot->parts, (size_t)room * sizeof(Part));
        if (parts == NULL)
            return (Part *)PyErr_NoMemory();
        snapshot->parts = parts;
        snapshot->room = room;
    }
    Part *part = &snapshot->parts[snapshot->count++];
    *part = (Part){object, Py_TYPE(object), NULL, 0, kind};
    return part;
}

static int part_kept(Snapshot *snapshot, PyObject *object, int kind, PyObject *owned)
{
    Part *part = part_new(snapshot, object, kind);
    if (part)
        part->kept = owned;
    else
        Py_DECREF(owned);
    return part ? 0 : -1;
}

/* Walks through a part and notes it down: 0, 1 for what cannot be remembered, or -1 with
 * an error. `seen` has the addresses of leaves and containers met so far.
 */
static int note(Snapshot *, PyObject *, PyObject *, PyObject *);

static int note_inside(Snapshot *snapshot, PyObject *object, PyObject *module, PyObject *seen)
{
    if (Py_EnterRecursiveCall(" in a model"))
        return -1;
    int failed = note(snapshot, object, module, seen);
    Py_LeaveRecursiveCall();
    return failed;
}

static int note(Snapshot *snapshot, PyObject *object, PyObject *module, PyObject *seen)
{
    if (is_plain(object))
        return part_kept(snapshot, object, PLAIN_PART, Py_NewRef(object));
    int node = is_node(object), result = node && !is_leaf((Node *)object);
    int of_module = node ? 0 : PyObject_IsInstance(object, module);
    int kind = result                        ? RESULT_PART
               : node                        ? PARAMETER_PART
               : of_module                   ? MODULE_PART
               : PyList_CheckExact(object)   ? LIST_PART
               : PyTuple_CheckExact(object)  ? TUPLE_PART
               : PyDict_CheckExact(object)   ? DICT_PART
                                             : OPAQUE_PART;
    if (of_module < 0)
        return -1;
    if (kind == OPAQUE_PART) { /* arrays, mappings and the like may have something inside */
        PyObject *alive = PyCallable_Check(object) ? PyWeakref_NewRef(object, NULL) : NULL;
        PyErr_Clear();
        return alive ? part_kept(snapshot, object, kind, alive) : 1;
    }
    if (kind == RESULT_PART)
        return part_new(snapshot, object, kind) ? 0 : -1;
    PyObject *address = PyLong_FromVoidPtr(object);
    int met = address ? PySet_Contains(seen, address) : -1;
    if (met == 0)
        met = PySet_Add(seen, address);
    else if (met == 1) {
        Py_DECREF(address);
        return part_new(snapshot, object, KNOWN_PART) ? 0 : -1;
    }
    Py_XDECREF(address);
    if (met < 0 || part_new(snapshot, object, kind) == NULL)
        return -1;
    Py_ssize_t at = snapshot->count - 1;
    if (kind == PARAMETER_PART) {
        snapshot->parameters++;
        return 0;
    }
    PyObject *inside = kind == MODULE_PART ? PyObject_GenericGetDict(object, NULL)
                                           : Py_NewRef(object);
    int failed = inside ? 0 : -1;
    if (kind == LIST_PART || kind == TUPLE_PART) {
        Py_ssize_t size = kind == LIST_PART ? PyList_Size(inside) : PyTuple_Size(inside);
        snapshot->parts[at].size = size;
        for (Py_ssize_t i = 0; !failed && i < size; i++)
            failed = note_inside(
                snapshot,
                kind == LIST_PART ? PyList_GetItem(inside, i) : PyTuple_GetItem(inside, i),
                module, seen);
    } else if (!failed) {
        PyObject *key, *value;
        Py_ssize_t place = 0;
        snapshot->parts[at].size = PyDict_Size(inside);
        while (!failed && PyDict_Next(inside, &place, &key, &value)) {
            int usual = PyUnicode_CheckExact(key) || PyLong_CheckExact(key);
            failed = usual ? part_kept(snapshot, key, KNOWN_PART, Py_NewRef(key)) : 1;
            if (!failed)
                failed = note_inside(snapshot, value, module, seen);
        }
    }
    Py_XDECREF(inside);
    return failed;
}

typedef struct {
    Part *part, *end;
    double *numbers;
} Reading;

/* Whether a number or text is the one that was noted: the same type, and every bit. */
static int same_plain(PyObject *object, const Part *part)
{
    if (Py_TYPE(object) != part->type)
        return 0;
    if (PyFloat_CheckExact(object)) {
        double now = PyFloat_AsDouble(object), then = PyFloat_AsDouble(part->kept);
        return memcmp(&now, &then, sizeof(double)) == 0;
    }
    return PyObject_RichCompareBool(object, part->kept, Py_EQ) == 1;
}

/* Whether the part is as it was; its parameters' numbers are read on the way. Nothing
 * that is called here can run any other code.
 */
static int same(Reading *reading, PyObject *object)
{
    if (reading->part == reading->end)
        return 0;
    Part *part = reading->part++;
    if (part->kind == PLAIN_PART)
        return object == part->kept || same_plain(object, part);
    if (part->kind == RESULT_PART)
        return is_node(object) && !is_leaf((Node *)object);
    if (object != part->object || Py_TYPE(object) != part->type)
        return 0;
    PyObject *key, *value, *inside;
    Py_ssize_t place = 0;
    int fits = 1;
    switch (part->kind) {
    case OPAQUE_PART:
        return PyWeakref_GetObject(part->kept) == object;
    case PARAMETER_PART:
        *reading->numbers++ = ((Node *)object)->number;
        return is_leaf((Node *)object);
    case LIST_PART:
        if (PyList_Size(object) != part->size)
            return 0;
        for (Py_ssize_t i = 0; fits && i < part->size; i++)
            fits = same(reading, PyList_GetItem(object, i));
        return fits;
    case TUPLE_PART:
        for (Py_ssize_t i = 0; fits && i < part->size; i++)
            fits = same(reading, PyTuple_GetItem(object, i));
        return fits;
    case DICT_PART:
    case MODULE_PART:
        inside = part->kind == DICT_PART ? Py_NewRef(object) : PyObject_GenericGetDict(object, NULL);
        if (inside == NULL) {
            PyErr_Clear();
            return 0;
        }
        fits = PyDict_Size(inside) == part->size;
        while (fits && PyDict_Next(inside, &place, &key, &value))
            fits = reading->part < reading->end && (reading->part++)->object == key &&
                   same(reading, value);
        Py_DECREF(inside);
        return fits;
    default:
        return 1; /* met before */
    }
}

/* snapshot(model, Module): None where a model has parts that cannot be remembered. */
static PyObject *snapshot_of(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *model, *kind, *seen;
    if (!PyArg_ParseTuple(args, "OO:snapshot", &model, &kind) || !(seen = PySet_New(NULL)))
        return NULL;
    Snapshot *snapshot = (Snapshot *)PyType_GenericNew(SnapshotType, NULL, NULL);
    int failed = snapshot ? note(snapshot, model, kind, seen) : -1;
    Py_DECREF(seen);
    if (failed) {
        Py_XDECREF((PyObject *)snapshot);
        return failed < 0 ? NULL : Py_NewRef(Py_None);
    }
    return (PyObject *)snapshot;
}

/* snapshot.numbers(model): its parameters as bytes of doubles; None if it has changed. */
static PyObject *snapshot_numbers(PyObject *self, PyObject *model)
{
    Snapshot *snapshot = (Snapshot *)self;
    Py_ssize_t size = snapshot->parameters * (Py_ssize_t)sizeof(double);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes == NULL)
        return NULL;
    Reading reading = {snapshot->parts, snapshot->parts + snapshot->count,
                       (double *)PyBytes_AsString(bytes)};
    if (same(&reading, model) && reading.part == reading.end)
        return bytes;
    Py_DECREF(bytes);
    Py_RETURN_NONE;
}

/* numbers(list): those of Values, as bytes of doubles; None if there is anything else. */
static PyObject *numbers_of(PyObject *module, PyObject *list)
{
    (void)module;
    if (!PyList_CheckExact(list))
        Py_RETURN_NONE;
    Py_ssize_t count = PyList_Size(list);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, count * (Py_ssize_t)sizeof(double));
    double *numbers = bytes ? (double *)PyBytes_AsString(bytes) : NULL;
    for (Py_ssize_t i = 0; bytes && i < count; i++) {
        PyObject *item = PyList_GetItem(list, i);
        if (!is_node(item)) {
            Py_DECREF(bytes);
            Py_RETURN_NONE;
        }
        numbers[i] = ((Node *)item)->number;
    }
    return bytes;
}

static void snapshot_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Snapshot *snapshot = (Snapshot *)self;
    for (Py_ssize_t i = 0; i < snapshot->count; i++)
        Py_XDECREF(snapshot->parts[i].kept);
    PyMem_Free(snapshot->parts);
    PyObject_Free(self);
    Py_DECREF((PyObject *)type);
}

static PyMethodDef snapshot_methods[] = {
    {"numbers", snapshot_numbers, METH_O, "The parameters as bytes; None after a change."},
    {0}};
static PyType_Slot snapshot_slots[] = {
    {Py_tp_dealloc, snapshot_dealloc}, {Py_tp_methods, snapshot_methods}, {0, NULL}};
static PyType_Spec snapshot_spec = {
    "autograd.native._engine.Snapshot", sizeof(Snapshot), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, snapshot_slots};
