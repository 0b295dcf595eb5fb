"""Three species of iris: validation, early stopping, saving and loading."""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import nn
import viz

X, y = nn.datasets.iris()
X_train, X_test, y_train, y_test = nn.datasets.split(X, y, test=0.3, stratify=True)
X_train, X_test = nn.datasets.standardise(X_train, X_test)

model = nn.MLP(4, [8, 3], activation="tanh", seed=1, init="xavier_uniform")
history = nn.fit(
    model,
    X_train,
    y_train,
    loss="cross_entropy",
    optimiser="adamw",
    lr=0.02,
    epochs=150,
    batch_size=16,
    validation=0.2,
    patience=20,
    metrics=["accuracy"],
    schedule=nn.schedules.cosine(150),
)
print(history)
outputs = nn.predict(model, X_test)
accuracy = nn.accuracy(outputs, y_test)
print(f"accuracy on {len(y_test)} held-out flowers: {accuracy:.1%}")

with tempfile.TemporaryDirectory() as folder:
    for name in ("iris.json", "iris.npz"):
        path = Path(folder) / name
        model.save(path)
        again = nn.MLP(4, [8, 3], activation="tanh")
        again.load(path)
        assert (nn.predict(again, X_test) == outputs).all()
        print(f"{name}: saved and loaded, the same predictions")

assert accuracy >= 0.95

Path("output").mkdir(exist_ok=True)
figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
species = ["setosa", "versicolor", "virginica"]
viz.confusion_matrix(outputs, y_test, labels=species, ax=ax)
figure.savefig("output/confusion.png", dpi=150)
print("wrote output/confusion.png")
