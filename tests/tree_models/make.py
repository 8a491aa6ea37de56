"""Writes the models of this folder and what XGBoost predicts with them, by which src/trees is judged.

    python3 -m venv VENV && VENV/bin/pip install xgboost-cpu==VERSION && VENV/bin/python tests/tree_models/make.py

VERSION is in expected.json. XGBoost and what it needs are 60 MB, so that test runs use what is kept here."""
import json
import os

import numpy as np
import xgboost as xgb

HERE = os.path.dirname(os.path.abspath(__file__))
RNG = np.random.default_rng(5)
ROWS = RNG.normal(size=(600, 4)).astype(np.float32)
ROWS[:, 3] = RNG.integers(0, 12, size=600)      # What categories are made of.
ROWS[RNG.random(ROWS.shape) < 0.15] = np.nan
FILLED = np.nan_to_num(ROWS)
SIGNAL = FILLED[:, 0] - 0.5 * FILLED[:, 1] ** 2 + np.where(FILLED[:, 3] % 3 == 0, 1.0, -0.5)
TARGETS = {"reg:squarederror": SIGNAL + 7, "reg:logistic": 1 / (1 + np.exp(-SIGNAL)), "binary:logistic": SIGNAL > 0,
           "binary:logitraw": SIGNAL > 0, "rank:pairwise": np.clip(SIGNAL + 2, 0, 4).astype(int),
           "rank:ndcg": np.clip(SIGNAL + 2, 0, 4).astype(int), "rank:map": SIGNAL > 0,
           "count:poisson": np.floor(np.exp(np.clip(SIGNAL, -2, 2))), "reg:gamma": np.exp(np.clip(SIGNAL, -2, 2)) * 3,
           "reg:tweedie": np.exp(np.clip(SIGNAL, -2, 2)) * 3}
SHOWN = 40      # Rows whose predictions are kept.


def matrix(target, categorical=False, group=None):
    kinds = ["q", "q", "q", "c" if categorical else "q"]
    return xgb.DMatrix(ROWS, label=np.asarray(target, dtype=np.float32), feature_types=kinds, enable_categorical=True,
                       group=group)


def train(objective, params=None, rounds=5, categorical=False):
    ranks = objective.startswith("rank:")
    data = matrix(TARGETS[objective], categorical, [30] * 20 if ranks else None)
    return xgb.train({"objective": objective, "max_depth": 4, "seed": 3, "nthread": 1, **(params or {})}, data, rounds), data


def main():
    expected = {"version": xgb.__version__, "rows": [[None if np.isnan(x) else float(x) for x in row] for row in ROWS[:SHOWN]],
                "models": {}}
    models = {name.replace(":", "_"): (name, {}, {}) for name in TARGETS}
    models["dart"] = ("reg:squarederror", {"booster": "dart", "rate_drop": 0.4, "one_drop": 1}, {})
    models["categories"] = ("reg:squarederror", {"max_cat_to_onehot": 2}, {"categorical": True})
    models["one_hot"] = ("binary:logistic", {"max_cat_to_onehot": 40}, {"categorical": True})
    models["pruned"] = ("reg:squarederror", {"gamma": 40, "max_depth": 6, "tree_method": "exact"}, {})
    models["parallel"] = ("reg:squarederror", {"num_parallel_tree": 4, "subsample": 0.5, "eta": 1}, {"rounds": 2})
    models["base"] = ("binary:logistic", {"base_score": 0.2}, {"rounds": 3})
    for name, (objective, params, how) in models.items():
        booster, data = train(objective, params, **how)
        file = name + (".json" if name in ("reg_squarederror", "dart", "one_hot") else ".ubj")
        booster.save_model(os.path.join(HERE, file))
        shown = data.slice(range(SHOWN), allow_groups=True)
        expected["models"][file] = {
            "default": [float(x) for x in booster.predict(shown)],
            "raw": [float(x) for x in booster.predict(shown, output_margin=True)]}
    several = xgb.train({"objective": "multi:softprob", "num_class": 3, "max_depth": 2}, matrix(np.arange(600) % 3), 2)
    several.save_model(os.path.join(HERE, "refused_classes.json"))
    linear = xgb.train({"booster": "gblinear"}, xgb.DMatrix(FILLED, label=SIGNAL), 2)
    linear.save_model(os.path.join(HERE, "refused_linear.ubj"))
    with open(os.path.join(HERE, "expected.json"), "w") as file:
        json.dump(expected, file)
        file.write("\n")


main()
