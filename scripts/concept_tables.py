"""The judgments behind rules/concepts: names, titles, units, unions and the few additions to the imported value sets.

Everything a clinician or maintainer may want to change by hand is here; import-terminology.py holds only mechanics.
"""

# Imported concept -> Concord's id. What is not listed loses its `med-` or `obs-` prefix and keeps the rest.
RENAMES = {
    "anxiety-any": "anxiety-disorder",
    "bipolar-any": "bipolar-disorder",
    "depression-any-active": "depressive-disorder",
    # Its codes do not name the drug.
    "opioid-use-in-pregnancy": "drug-use-in-pregnancy",
    "oud-in-remission": "opioid-use-disorder-in-remission",
    "med-antipsychotic-atypical": "atypical-antipsychotic",
    "med-antipsychotic-typical": "typical-antipsychotic",
    "med-buprenorphine-implant": "buprenorphine-implant",
    "med-buprenorphine-oud-formulation": "buprenorphine-for-oud",
    "med-buprenorphine-pain-formulation": "buprenorphine-for-pain",
    "med-buprenorphine-xr-injection": "buprenorphine-extended-release",
    "med-cyp2d6-inhibitor": "cyp2d6-inhibitor",
    "med-cyp3a4-inducer-moderate": "cyp3a4-inducer-moderate",
    "med-cyp3a4-inducer-strong": "cyp3a4-inducer-strong",
    "med-naltrexone-xr-injection": "naltrexone-extended-release",
    "med-opioid-agonist-with-sequestered-antagonist": "opioid-with-sequestered-antagonist",
    "med-qt-prolonging-known": "qt-prolonging-known",
    "med-qt-prolonging-possible": "qt-prolonging-possible",
    "obs-alt": "alanine-aminotransferase",
    "obs-ast": "aspartate-aminotransferase",
    "obs-audit-c-total": "audit-c",
    "obs-audit-total": "audit",
    "obs-bmi": "body-mass-index",
    "obs-bp-panel": "blood-pressure-panel",
    "obs-creatinine-molar": "creatinine",
    "obs-cssrs-full-panel": "c-ssrs-panel",
    "obs-cssrs-screener-panel": "c-ssrs-screener-panel",
    "obs-dast10-panel": "dast-10-panel",
    "obs-dast10-total": "dast-10",
    "obs-diastolic-bp": "diastolic-blood-pressure",
    "obs-ecg-study": "electrocardiogram",
    "obs-gad7-panel": "gad-7-panel",
    "obs-gad7-total": "gad-7",
    "obs-glasgow-panel": "glasgow-coma-scale-panel",
    "obs-glasgow-total": "glasgow-coma-scale",
    "obs-hbv-core-antibody-igm": "hepatitis-b-core-antibody-igm",
    "obs-hbv-core-antibody-total": "hepatitis-b-core-antibody",
    "obs-hbv-surface-antibody": "hepatitis-b-surface-antibody",
    "obs-hbv-surface-antigen": "hepatitis-b-surface-antigen",
    "obs-hcv-antibody": "hepatitis-c-antibody",
    "obs-hcv-rna": "hepatitis-c-rna",
    "obs-pc-ptsd5-panel": "pc-ptsd-5-panel",
    "obs-pc-ptsd5-total": "pc-ptsd-5",
    "obs-pcl5-panel": "pcl-5-panel",
    "obs-pcl5-total": "pcl-5",
    "obs-pclc-panel": "pcl-c-panel",
    "obs-phq2-total": "phq-2",
    "obs-phq9-item9": "phq-9-item-9",
    "obs-phq9-panel": "phq-9-panel",
    "obs-phq9-total": "phq-9",
    "obs-qt-uncorrected": "qt-interval-uncorrected",
    "obs-qtc": "qtc-interval",
    "obs-spo2": "oxygen-saturation",
    "obs-systolic-bp": "systolic-blood-pressure",
}

# Left out: `med-moud` counts oral naltrexone as treatment for opioid use disorder, which the rules must not;
# `obs-cssrs-item` is rebuilt below, one concept an item.
DROPPED = {"med-moud", "obs-cssrs-item"}

C_SSRS_ITEMS = {
    "93246-7": ("c-ssrs-wish-to-be-dead", "C-SSRS 1, wish to be dead"),
    "93247-5": ("c-ssrs-suicidal-thoughts", "C-SSRS 2, suicidal thoughts"),
    "93248-3": ("c-ssrs-method", "C-SSRS 3, thoughts of a method"),
    "93249-1": ("c-ssrs-intent", "C-SSRS 4, some intent"),
    "93250-9": ("c-ssrs-plan-and-intent", "C-SSRS 5, plan and intent"),
    "93267-3": ("c-ssrs-behavior-lifetime", "C-SSRS 6, suicidal behavior ever"),
    "93269-9": ("c-ssrs-behavior-3-months", "C-SSRS 6, suicidal behavior within 3 months"),
}

# Instruments without a LOINC code in the data: codes of Concord's own system.
LOCAL = {
    "ace-score": "adverse childhood experiences score",
    "asq": "Ask Suicide-Screening Questions",
    "barc-10": "Brief Assessment of Recovery Capital",
    "c-ssrs-screener": "C-SSRS screener, highest item answered yes",
    "child-pugh": "Child-Pugh score",
    "cows": "Clinical Opiate Withdrawal Scale",
    "isi": "Insomnia Severity Index",
    "mdq": "Mood Disorder Questionnaire",
    "msi-bpd": "McLean screening for borderline personality disorder",
}

# Concept -> (canonical UCUM unit, molar mass in g/mol, valence). A molar mass only where mass and molar units are
# both in use for the analyte, a valence only where equivalents are.
UNITS = {
    "alanine-aminotransferase": ("U/L", None, None),
    "albumin": ("g/dL", None, None),
    "aspartate-aminotransferase": ("U/L", None, None),
    "bilirubin-direct": ("mg/dL", "584.66", None),
    "bilirubin-total": ("mg/dL", "584.66", None),
    "body-height": ("cm", None, None),
    "body-mass-index": ("kg/m2", None, None),
    "body-temperature": ("Cel", None, None),
    "body-weight": ("kg", None, None),
    "creatinine": ("mg/dL", "113.12", None),
    "diastolic-blood-pressure": ("mm[Hg]", None, None),
    "egfr": ("mL/min/{1.73_m2}", None, None),
    "heart-rate": ("/min", None, None),
    "hiv-viral-load": ("{copies}/mL", None, None),
    "inr": ("{INR}", None, None),
    "lithium-level": ("mmol/L", "6.94", "1"),
    "magnesium": ("mg/dL", "24.305", "2"),
    "oxygen-saturation": ("%", None, None),
    "platelets": ("10*3/uL", None, None),
    "potassium": ("mmol/L", "39.098", "1"),
    "qt-interval-uncorrected": ("ms", None, None),
    "qtc-interval": ("ms", None, None),
    "respiratory-rate": ("/min", None, None),
    "sodium": ("mmol/L", "22.990", "1"),
    "systolic-blood-pressure": ("mm[Hg]", None, None),
    "valproate-level": ("ug/mL", "144.21", None),
} | {
    name: ("{score}", None, None)
    for name in [*LOCAL, "audit", "audit-c", "dast-10", "gad-7", "glasgow-coma-scale", "pc-ptsd-5", "pcl-5", "phq-2",
                 "phq-9", "phq-9-item-9"]
}

SUBSTANCES = ["alcohol", "amphetamine", "cannabis", "cocaine", "hallucinogen", "inhalant", "other-substance", "sedative"]

# Imported concepts that other imported concepts lie wholly within: the part is included, the rest stays written out.
PARTS = {f"{name}-use-disorder": [f"{name}-use-disorder-mild", f"{name}-use-disorder-moderate-severe"]
         for name in SUBSTANCES} | {
    "adverse-childhood-experience": ["history-of-childhood-abuse"],
    "anxiety-disorder": ["agoraphobia", "anxiety-disorder-other", "generalized-anxiety-disorder", "panic-disorder",
                         "social-anxiety-disorder", "specific-phobia"],
    "bipolar-disorder": ["bipolar-i-disorder", "bipolar-ii-disorder"],
    "combat-or-military": ["combat-exposure"],
    "depressive-disorder": ["major-depressive-disorder", "persistent-depressive-disorder"],
    "eating-disorder": ["eating-disorder-bulimia-or-anorexia"],
    "history-of-abuse": ["history-of-adult-abuse", "history-of-childhood-abuse"],
    "major-depressive-disorder": ["major-depressive-disorder-single"],
    "opioid-overdose": ["opioid-overdose-accidental", "opioid-overdose-assault", "opioid-overdose-intentional-self-harm",
                        "opioid-overdose-undetermined-intent"],
    "ptsd": ["ptsd-acute", "ptsd-chronic", "ptsd-unspecified"],
    "schizophrenia-spectrum": ["schizophrenia"],
}

# Wholes whose imported list lacks codes of a part: the part is included all the same.
WIDENED = {"anxiety-disorder", "depressive-disorder"}

# Concepts that the imported value sets lack -> (title, ICD-10-CM entries).
EXTRA_DIAGNOSES = {
    "benzodiazepine-overdose": ("benzodiazepine overdose", ["T42.4X1-", "T42.4X2-", "T42.4X3-", "T42.4X4-"]),
    "disruptive-behavior-disorder": ("conduct or oppositional disorder", ["F91-"]),
}

# New concept -> (title, members).
UNIONS = {
    "opioid-use-disorder": ("opioid use disorder", ["opioid-use-disorder-mild", "opioid-use-disorder-moderate-severe"]),
    "opioid-induced-mental-disorder": ("opioid-induced mental disorder", [
        "opioid-induced-anxiety-disorder", "opioid-induced-mood-disorder", "opioid-induced-other-disorder",
        "opioid-induced-psychotic-disorder", "opioid-induced-sleep-disorder"]),
    "stimulant-use-disorder": ("stimulant use disorder", ["amphetamine-use-disorder", "cocaine-use-disorder"]),
    "substance-use-disorder-other-than-opioid": ("substance use disorder other than opioid or tobacco", [
        *(f"{name}-use-disorder" for name in SUBSTANCES), "drug-use-disorder-unspecified"]),
    # Neurocognitive and intellectual disorders, sleep disorders and delirium are left to their own concepts: they do
    # not ask for treatment of two disorders together. Substance-induced disorders carry substance codes.
    "mental-disorder": ("mental disorder other than a substance use disorder", [
        "acute-stress-disorder", "adhd", "adjustment-disorder", "agoraphobia", "anxiety-disorder", "autism-spectrum",
        "bipolar-disorder", "borderline-personality-disorder", "cyclothymia", "depressive-disorder",
        "disruptive-behavior-disorder", "dissociative-disorder", "eating-disorder", "gambling-disorder", "obsessive-compulsive-disorder",
        "perinatal-depression", "personality-disorder-other", "postpartum-psychosis", "ptsd", "schizophrenia-spectrum",
        "somatic-symptom-disorder"]),
    "suicidal-thoughts-or-behavior": ("suicidal thoughts or behavior, now or before", [
        "history-of-suicidal-behavior", "history-of-suicide-attempt-or-self-harm", "suicidal-ideation",
        "suicide-attempt", "suicide-attempt-sequela", "suicide-risk-elevated"]),
    "traumatic-experience": ("traumatic experience", [
        "adverse-childhood-experience", "combat-exposure", "crime-victim", "current-abuse-confirmed",
        "current-abuse-suspected", "disaster-or-terrorism", "history-of-abuse", "human-trafficking",
        "intimate-partner-violence", "physical-abuse", "psychological-abuse", "sexual-abuse"]),
    "antidepressant": ("antidepressant", ["bupropion", "maoi", "mirtazapine", "nefazodone", "other-antidepressant", "snri",
                                          "ssri", "tca", "trazodone"]),
    "antipsychotic": ("antipsychotic", ["atypical-antipsychotic", "typical-antipsychotic"]),
    "any-opioid": ("any opioid", ["buprenorphine", "methadone", "opioid-full-agonist", "opioid-mixed-agonist-antagonist",
                                  "opioid-nonanalgesic"]),
    "cns-depressant": ("central nervous system depressant other than an opioid", [
        "barbiturate", "benzodiazepine", "gabapentinoid", "muscle-relaxant", "orexin-antagonist", "other-sedative",
        "z-drug"]),
    "cyp3a4-inducer": ("CYP3A4 inducer", ["cyp3a4-inducer-moderate", "cyp3a4-inducer-strong"]),
    "cyp3a4-inhibitor": ("CYP3A4 inhibitor", ["cyp3a4-inhibitor-moderate", "cyp3a4-inhibitor-strong"]),
    "medication-for-oud": ("medication for opioid use disorder", ["buprenorphine-for-oud", "methadone",
                                                                "naltrexone-extended-release"]),
    "mood-stabilizer": ("mood stabilizer", ["carbamazepine", "lamotrigine", "lithium", "oxcarbazepine", "valproate"]),
    "opioid-agonist": ("opioid agonist medication: methadone or any buprenorphine", ["buprenorphine", "methadone"]),
    "opioid-agonist-for-oud": ("opioid agonist for opioid use disorder", ["buprenorphine-for-oud", "methadone"]),
    "opioid-reversal": ("opioid overdose reversal", ["nalmefene", "naloxone-rescue"]),
    "qt-prolonging": ("QT-prolonging medication", ["qt-prolonging-known", "qt-prolonging-possible"]),
    "c-ssrs-item": ("C-SSRS item", [name for name, _ in C_SSRS_ITEMS.values()]),
    "urine-illicit-opioid": ("urine opioid other than buprenorphine or methadone", [
        "urine-fentanyl", "urine-heroin", "urine-opiates", "urine-oxycodone"]),
}

# A sequela is not a current event. History concepts keep it.
NO_SEQUELA = ["benzodiazepine-overdose", "current-abuse-confirmed", "current-abuse-suspected", "head-injury-tbi", "opioid-adverse-effect",
              "opioid-overdose", "opioid-overdose-accidental", "opioid-overdose-assault", "opioid-overdose-fentanyl",
              "opioid-overdose-heroin", "opioid-overdose-intentional-self-harm", "opioid-overdose-methadone",
              "opioid-overdose-undetermined-intent", "opioid-underdosing", "suicide-attempt"]
SEQUELAE = {"opioid-overdose-sequela": ("opioid-overdose", "late effect of an opioid overdose"),
            "suicide-attempt-sequela": ("suicide-attempt", "late effect of a suicide attempt")}

# Codes gone from the current release that no current entry is a prefix of, and that old records still carry.
RETIRED = {
    "opioid-adverse-effect": ["T40.4X5-"],
    "opioid-overdose-accidental": ["T40.4X1-"],
    "opioid-overdose-assault": ["T40.4X3-"],
    "opioid-overdose-intentional-self-harm": ["T40.4X2-"],
    "opioid-overdose-sequela": ["T40.4X1S", "T40.4X2S", "T40.4X3S", "T40.4X4S"],
    "opioid-overdose-undetermined-intent": ["T40.4X4-"],
    "opioid-underdosing": ["T40.4X6-"],
    "suicide-attempt": ["T40.4X2-", "T40.7X2-", "T52.8X2-"],
    "suicide-attempt-sequela": ["T40.4X2S", "T40.7X2S", "T52.8X2S"],
}

# Ingredients confirmed by name in the ingredient map that the value sets lack.
EXTRA_INGREDIENTS = {
    "barbiturate": ["719", "9624"],  # amobarbital, secobarbital
    "cyp3a4-inhibitor-moderate": ["358255"],  # aprepitant
    "opioid-antagonist-peripheral": ["480639"],  # alvimopan
    "opioid-full-agonist": ["480", "2001352"],  # alfentanil, benzhydrocodone
    "qt-prolonging-known": ["18330", "596724"],  # arsenic trioxide, anagrelide
}

# Salts that the ingredient map lacks: valproic acid and divalproex under valproate.
EXTRA_SALTS = {"11118": ["40254"], "266856": ["40254"]}

OPIOID_PARTNERS = ["1819", "7052", "7804", "8001"]  # buprenorphine, morphine, oxycodone, pentazocine
# A product that also contains one of these is not the concept: the antagonist is there to deter injection.
WITHOUT = {"naloxone": OPIOID_PARTNERS, "naloxone-rescue": OPIOID_PARTNERS, "naltrexone": ["7052", "7804"],
           "opioid-antagonist": OPIOID_PARTNERS}

# The ingredient map gives tilidine with naloxone as naloxone alone.
TILIDINE_NALOXONE = ["411499", "431676", "431678", "431679"]

# Concepts about effects on the whole body: products applied to skin, eye or ear are excepted.
SYSTEMIC = ["benzodiazepine", "cyp2d6-inhibitor", "cyp3a4-inducer-moderate", "cyp3a4-inducer-strong",
            "cyp3a4-inhibitor-moderate", "cyp3a4-inhibitor-strong", "linezolid", "maoi", "methadone-interaction-antiretroviral",
            "methylene-blue", "mirtazapine", "muscle-relaxant", "nsaid", "other-sedative", "propranolol",
            "qt-prolonging-known", "qt-prolonging-possible", "serotonergic-other", "tca"]

RELAPSING = ["opioid-use-disorder", *(f"{name}-use-disorder" for name in SUBSTANCES), "tobacco-use-disorder"]

# Remission in a concept of another name: the codes F32.4, F32.5 and F33.4x are of major depression alone.
REMISSION = {"major-depressive-disorder": "depression-in-remission"}

# One disorder whose codes tell apart its course or type alone, or are of two code systems.
ONE_DISORDER = ["adhd", "borderline-personality-disorder", "generalized-anxiety-disorder", "panic-disorder", "ptsd",
                "social-anxiety-disorder"]

# File -> concepts: every concept lands in the first file whose test accepts it.
INSTRUMENTS = ("audit", "c-ssrs", "dast", "gad-7", "glasgow", "pc-ptsd", "pcl", "phq", "suicide-risk-level")
OBSERVATION_FILES = {"urine": lambda name: name.startswith("urine-"),
                     "instruments": lambda name: name in LOCAL or name.startswith(INSTRUMENTS),
                     "observations": lambda name: True}
INTERACTIONS = {"qt-prolonging", "qt-prolonging-known", "qt-prolonging-possible", "serotonergic-other", "linezolid",
                "methylene-blue", "methadone-interaction-antiretroviral", "nsaid"}


def source_attribute(name):
    """What the use of an observation means for 45 CFR 170.315(b)(11)(iv)(A), if anything."""
    if name == "ace-score":
        return "social-determinants"
    # Computed from laboratory results.
    if name == "child-pugh":
        return None
    instrument = OBSERVATION_FILES["instruments"](name) and not name.startswith("urine-")
    return "health-status-assessment" if instrument or name in ("pregnancy-status", "tobacco-status") else None


MEDICATION_FILES = {"interactions": lambda name: name in INTERACTIONS or name.startswith("cyp"),
                    "opioid-medications": lambda name: any(word in name for word in (
                        "opioid", "buprenorphine", "methadone", "naltrexone", "naloxone", "nalmefene", "-oud", "lofexidine")),
                    "medications": lambda name: True}
PREGNANCY = {"abuse-in-pregnancy", "breastfeeding", "delivery", "drug-use-delivery-or-puerperium", "lactation-disorder",
             "drug-use-in-pregnancy", "neonatal-opioid-withdrawal", "postpartum", "pregnancy",
             "pregnancy-abortive-outcome"}
SOCIAL = {
    "abuse-mental-health-encounter", "abuse-perpetrator", "adverse-childhood-experience", "bereavement",
    "combat-exposure", "combat-or-military", "crime-victim", "current-abuse-confirmed", "current-abuse-suspected",
    "disaster-or-terrorism", "discrimination", "education-problem", "family-history-intellectual-disability",
    "family-history-mental-illness", "family-history-substance-use", "financial-hardship", "food-insecurity",
    "history-of-abuse", "history-of-adult-abuse", "history-of-childhood-abuse", "homelessness", "housing-instability",
    "human-trafficking", "incarceration", "intimate-partner-violence", "legal-problems", "medication-nonadherence",
    "military-deployment", "military-family-stress", "physical-abuse", "psychological-abuse",
    "psychosocial-stressor-other", "relationship-stress", "sexual-abuse", "social-isolation", "transport-insecurity",
    "traumatic-experience", "unemployment", "utilities-insecurity"}
SUICIDE = {"history-of-nonsuicidal-self-harm", "history-of-suicidal-behavior", "history-of-suicide-attempt-or-self-harm",
           "homicidal-ideation", "nonsuicidal-self-harm-current", "suicidal-ideation", "suicidal-thoughts-or-behavior",
           "suicide-attempt", "suicide-attempt-sequela", "suicide-risk-elevated"}
MENTAL = {
    "acute-stress-disorder", "adhd", "adjustment-disorder", "agoraphobia", "autism-spectrum", "delirium", "dementia",
    "disruptive-behavior-disorder", "gambling-disorder", "insomnia", "intellectual-disability", "mental-disorder", "nightmare-disorder",
    "perinatal-depression", "postpartum-psychosis", "specific-phobia"}
MENTAL_WORDS = ("anxiety", "schizo", "personality", "ptsd", "panic", "eating-disorder",
                "dissociative", "obsessive", "somatic")
MOOD_WORDS = ("bipolar", "cyclothymia", "depress", "mdd-")
CARDIAC_AND_HEPATIC = {"abnormal-ecg", "acute-hepatitis", "cardiac-arrhythmia-other", "cardiomyopathy", "channelopathy",
                       "chronic-liver-disease-other", "heart-block-bradycardia", "heart-failure", "hypertension",
                       "hypotension", "qt-prolongation", "torsades-de-pointes", "ventricular-arrhythmia"}
DIAGNOSIS_FILES = {
    "pregnancy": lambda name: name in PREGNANCY,
    "suicide": lambda name: name in SUICIDE,
    "social": lambda name: name in SOCIAL,
    "opioids": lambda name: "than-opioid" not in name and ("opioid" in name or "opiate" in name) or name in ("adulterant-exposure", "drug-overdose-unspecified"),
    "substances": lambda name: "-use-" in name or any(w in name for w in ("alcohol", "benzodiazepine", "stimulant-use", "substance", "withdrawal")),
    "mood": lambda name: not name.startswith("respiratory") and any(word in name for word in MOOD_WORDS),
    "mental-health": lambda name: name in MENTAL or any(word in name for word in MENTAL_WORDS),
    "encounters": lambda name: name.startswith("encounter-"),
    "heart-and-liver": lambda name: name in CARDIAC_AND_HEPATIC or name.startswith("hepat"),
    "medical": lambda name: True,
}
