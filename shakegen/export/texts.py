"""The texts of a network's outputs, for programs that know nothing of shakegen."""


def texts_of_outputs(model) -> list[str | None]:
    """The text of each logit of a model; None for padding and unknown symbols, which have none."""
    outputs = model.output_vocabulary
    texts = outputs.to_json()
    return [*[None] * (len(outputs) - len(texts)), *texts]  # padding and unknown words come first
