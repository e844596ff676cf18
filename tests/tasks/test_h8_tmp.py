import time, numpy as np, torch
from striate.engine.export import write_graph
from striate.graphs import load_graph
from striate.tasks.detect.methods.gathered import regions_of
def test_x(make_detection, tmp_path):
    t=time.time()
    made = make_detection("rcnn", (3, 0, 5), classifier="svm")
    module = made.network().eval(); print("make", time.time()-t); t=time.time()
    r = regions_of(module, made.pixels, made.batch.targets, device=torch.device("cpu")); print("regions", len(r), time.time()-t); t=time.time()
    print("spread", r.vectors.std(0).mean(), np.linalg.norm(r.vectors,axis=1).mean(), r.vectors.shape)
    for l in made.recipe.finish(module, made.pixels, made.batch.targets, device=torch.device("cpu")): print(l)
    print("finish", time.time()-t); t=time.time()
    W=module.head.regions.box_predictor.cls_score.weight; print("w", W.norm(dim=1)); B=module.head.regions.box_predictor.bbox_pred.weight; print("b", B.norm(dim=1))
    source, path = made.recipe.graphs(module)["main"], tmp_path / "main.onnx"
    write_graph(source, path, input_hw=(64, 96), metadata={}); print("export", time.time()-t); t=time.time()
    with torch.no_grad(): own = made.recipe.outputs(module, made.batch.pixels, made.more())
    print("own", time.time()-t); t=time.time()
    f = load_graph(path)(made.recipe.feeds(made.pixels)); print("onnx", time.time()-t)
    for k in own:
        a,b=own[k].numpy(),f[k]; print(k, a.shape, np.abs(a-b).max(), np.abs(a[:,:500]-b[:,:500]).max())
