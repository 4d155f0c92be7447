"""One architecture as the source of a PyTorch module that a person would write: no atnas, no search, no supernet.

    recording    with which arguments an operator makes its modules
    agreed       Python code, reduced by what is the same in all uses of it
    reduced      a class of a module, reduced to some uses
    carried      the classes of operators that are not torch's own
    functions    functions of tensors as they are written in a forward
    parts        what a network is made of: layers, layers in a row, blocks with a forward of their own
    wiring       the layers of an architecture and who takes whose tensor, without those that do nothing
    places       which ops and bindings of the space a layer stands in
    groups       layers grouped by the ops they stand in
    ports        how many inputs a group has
    forward      the statements of a block
    blocks       groups as parts
    calls        the calls that make modules, as text
    naming       what a class or function is given, and what that is called
    templates    parts of one structure as one class or function
    definitions  the classes and functions of a file
    layout       source text as a formatter leaves it
    source       the file
    graphs       torch.export and ONNX

`literals` and `defaults` are small things that several of them need.
"""
