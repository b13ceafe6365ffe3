"""Everything that writes records; one module per subject.

accounts, contacts, opportunities, activities: records and what follows from them · saving: what happens around each
save, and after bulk writes · vocabularies, catalogue: add, rename, merge · custom_fields · money, bands,
completeness, normalisation: what is computed · deletion · defaults: what an installation starts with.
"""
